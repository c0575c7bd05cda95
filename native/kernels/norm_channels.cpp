// What is computed from all channels of a place, or with numbers of their own for each of them:
// softmax, layer normalisation, a scale and an offset.
#include <cmath>

#include "../math.h"
#include "families.h"
#include "pointwise.h"

namespace striate {
namespace {

// A kernel that takes the channels of each place by themselves.
struct PerPlace : Kernel {
  Int height = 1, width = 1, channels = 1;

  template <class V>
  void visit(V& v) {
    v("height", height), v("width", width), v("channels", channels);
  }

 protected:
  void check_size(const Check& c) const { c.between("channels", channels, 1, int64_t{1} << 31); }
  void check_image(const Check& c, const char* name, const View& view) const {
    c.holds(name, view, height, width, channels, c.batch());
  }

  // Calls f(line of each view) for all places of a range's samples.
  template <class F, class... Views>
  void each_place(const Context& context, Range range, const F& f, const Views&... views) const {
    const auto line = [&](const View& view, int64_t i, int64_t y, int64_t x) {
      if (!given(view)) return Line{nullptr, false};
      return Line{context.at(view, i) + y * view.row + x * view.pixel, padded(view)};
    };
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) f(line(views, i, y, x)...);
  }

  // The sum of f(part), zero where there is no channel.
  template <class F>
  float sum_of(const F& f) const {
    Vec total{};
    each_part(channels, false, [&](Part part) { total += keep_first(f(part), part.count); });
    return sum(total);
  }
};

// exp(x - largest x) / sum of these, or its logarithm
template <bool LOGARITHM>
struct Softmax final : PerPlace {
  View input, output;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    PerPlace::visit(v);
  }

  void check(const Check& c) const override {
    check_size(c);
    check_image(c, "input", input);
    check_image(c, "output", output);
  }

  void run(const Context& context, Range range) const override {
    each_place(
        context, range,
        [&](Line from, Line to) {
          const Vec most = all(largest(from));
          const float total = sum_of([&](Part part) {
            const Vec v = exp(from.get(part) - most);
            if (!LOGARITHM) to.put(part, v);
            return v;
          });
          const Vec whole = LOGARITHM ? log(all(total)) : all(total);
          each_part(channels, to.padded, [&](Part part) {
            to.put(part, LOGARITHM ? from.get(part) - most - whole : to.get(part) / whole);
          });
        },
        input, output);
  }

 private:
  float largest(Line from) const {
    Vec most = all(-__builtin_inff());
    each_part(channels, false, [&](Part part) {
      const IntVec there = lane_numbers() < static_cast<int32_t>(part.count);
      most = select(there, max(most, from.get(part)), most);
    });
    float found = most[0];
    for (int i = 1; i < LANES; ++i) found = most[i] > found ? most[i] : found;
    return found;
  }
};

// dx = y * (dy - sum of dy * y); of the logarithm, dx = dy - exp(y) * sum of dy
template <bool LOGARITHM>
struct SoftmaxBackward final : PerPlace {
  View output, output_gradient, input_gradient;

  template <class V>
  void visit(V& v) {
    v("output", output), v("output_gradient", output_gradient);
    v("input_gradient", input_gradient);
    PerPlace::visit(v);
  }

  void check(const Check& c) const override {
    check_size(c);
    check_image(c, "output", output);
    check_image(c, "output_gradient", output_gradient);
    check_image(c, "input_gradient", input_gradient);
  }

  void run(const Context& context, Range range) const override {
    each_place(
        context, range,
        [&](Line y, Line dy, Line dx) {
          const float along = sum_of([&](Part part) {
            return LOGARITHM ? dy.get(part) : y.get(part) * dy.get(part);
          });
          each_part(channels, dx.padded, [&](Part part) {
            const Vec v = y.get(part), d = dy.get(part);
            dx.put(part, LOGARITHM ? d - exp(v) * along : v * (d - along));
          });
        },
        output, output_gradient, input_gradient);
  }
};

// y = scale * x + offset, with numbers for each channel
struct Affine final : PerPlace {
  View input, output;
  Ref scale, offset;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    PerPlace::visit(v);
    v("scale", scale), v("offset", offset);
  }

  void check(const Check& c) const override {
    check_size(c);
    check_image(c, "input", input);
    check_image(c, "output", output);
    if (given(scale)) c.holds("scale", scale, channel_bytes(channels));
    if (given(offset)) c.holds("offset", offset, channel_bytes(channels));
  }

  void run(const Context& context, Range range) const override {
    each_place(
        context, range,
        [&](Line from, Line to) {
          each_part(channels, to.padded, [&](Part part) {
            const Vec times = channel_values(context, scale, part, 1);
            to.put(part, fma(from.get(part), times, channel_values(context, offset, part, 0)));
          });
        },
        input, output);
  }
};

// The mean and 1 / sqrt(variance + epsilon) of the channels of a place.
struct Moments {
  float mean, rstd;
};

struct LayerNorming : PerPlace {
  View input;
  Ref gamma;
  Real epsilon = 0;

 protected:
  Moments moments(Line x) const {
    const float count = static_cast<float>(channels);
    const float mean = sum_of([&](Part part) { return x.get(part); }) / count;
    const float variance = sum_of([&](Part part) {
                             const Vec from_mean = x.get(part) - mean;
                             return from_mean * from_mean;
                           }) / count;
    return {mean, 1 / std::sqrt(variance + static_cast<float>(epsilon))};
  }
};

// y = gamma * xhat + beta, xhat = (x - mean) * rstd
struct LayerNorm final : LayerNorming {
  View output;
  Ref beta;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    PerPlace::visit(v);
    v("gamma", gamma), v("beta", beta), v("epsilon", epsilon);
  }

  void check(const Check& c) const override {
    check_size(c);
    check_image(c, "input", input);
    check_image(c, "output", output);
    if (given(gamma)) c.holds("gamma", gamma, channel_bytes(channels));
    if (given(beta)) c.holds("beta", beta, channel_bytes(channels));
  }

  void run(const Context& context, Range range) const override {
    each_place(
        context, range,
        [&](Line x, Line y) {
          const Moments of = moments(x);
          each_part(channels, y.padded, [&](Part part) {
            const Vec hat = (x.get(part) - of.mean) * of.rstd;
            y.put(part, fma(hat, channel_values(context, gamma, part, 1),
                            channel_values(context, beta, part, 0)));
          });
        },
        input, output);
  }
};

// With g = gamma * dy: dx = rstd * (g - mean of g - xhat * mean of g * xhat), the means over the
// channels. The gradients of gamma and beta are slotted.
struct LayerNormBackward final : LayerNorming {
  View output_gradient, input_gradient;
  Ref gamma_gradient, beta_gradient;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output_gradient", output_gradient);
    v("input_gradient", input_gradient);
    PerPlace::visit(v);
    v("gamma", gamma), v("epsilon", epsilon);
    v("gamma_gradient", gamma_gradient), v("beta_gradient", beta_gradient);
  }

  void check(const Check& c) const override {
    check_size(c);
    check_image(c, "input", input);
    check_image(c, "output_gradient", output_gradient);
    if (given(input_gradient)) check_image(c, "input_gradient", input_gradient);
    if (given(gamma)) c.holds("gamma", gamma, channel_bytes(channels));
    for (Ref gradient : {gamma_gradient, beta_gradient})
      if (given(gradient)) c.holds("gradient", gradient, channel_bytes(channels), c.slots());
  }

  void run(const Context& context, Range range) const override {
    float* gammas = slot(context, gamma_gradient, range);
    float* betas = slot(context, beta_gradient, range);
    each_place(
        context, range,
        [&](Line x, Line dy, Line dx) {
          const Moments of = moments(x);
          const auto hat = [&](Part part) { return (x.get(part) - of.mean) * of.rstd; };
          if (gammas != nullptr)
            add(gammas, [&](Part part) { return dy.get(part) * hat(part); });
          if (betas != nullptr) add(betas, [&](Part part) { return dy.get(part); });
          if (dx.data != nullptr) write(context, dy, dx, of.rstd, hat);
        },
        input, output_gradient, input_gradient);
  }

 private:
  float* slot(const Context& context, Ref ref, Range range) const {
    if (!given(ref)) return nullptr;
    float* sums = context.at<float>(ref, range.slot);
    std::memset(sums, 0, static_cast<size_t>(channel_bytes(channels)));
    return sums;
  }

  template <class F>
  void add(float* sums, const F& f) const {
    each_part(channels, false, [&](Part part) {
      const Line to{sums, false};
      to.put(part, to.get(part) + f(part));
    });
  }

  template <class Hat>
  void write(const Context& context, Line dy, Line dx, float rstd, const Hat& hat) const {
    const auto scaled = [&](Part part) {
      return dy.get(part) * channel_values(context, gamma, part, 1);
    };
    const float count = static_cast<float>(channels);
    const float level = sum_of(scaled) / count;
    const float tilt = sum_of([&](Part part) { return scaled(part) * hat(part); }) / count;
    each_part(channels, dx.padded, [&](Part part) {
      dx.put(part, rstd * (scaled(part) - level - hat(part) * tilt));
    });
  }
};

}  // namespace

Entries norm_channels_kernels() {
  return {entry<Softmax<false>>("softmax"), entry<SoftmaxBackward<false>>("softmax_backward"),
          entry<Softmax<true>>("log_softmax"), entry<SoftmaxBackward<true>>("log_softmax_backward"),
          entry<Affine>("affine"), entry<LayerNorm>("layer_norm"),
          entry<LayerNormBackward>("layer_norm_backward")};
}

}  // namespace striate
