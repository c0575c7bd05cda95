// Batch normalisation: statistics, normalising, and the gradients of both.
//
// Sums over the places of a block of samples are slotted: two rows, of channels rounded up to a
// group. What has one number per channel is a buffer of as many floats.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "../math.h"
#include "families.h"
#include "pointwise.h"

namespace striate {
namespace {

int64_t channel_floats(int64_t channels) { return round_up(channels, GROUP); }

void check_sizes(const Check& c, std::initializer_list<int64_t> sizes) {
  for (int64_t size : sizes)
    c.that(size >= 1 && size < int64_t{1} << 31, "a size of a normalisation is out of range");
}

// Two sums over a row of places, in several registers each, so that additions need not wait for
// each other.
struct Sums {
  static constexpr int CHAINS = 4;
  Vec first[CHAINS] = {}, second[CHAINS] = {};

  STRIATE_INLINE void add(int64_t place, Vec a, Vec b, Vec c) {
    Vec& one = first[place % CHAINS];
    Vec& two = second[place % CHAINS];
    one += a, two = fma(b, c, two);
  }
  static Vec total(const Vec* of) { return (of[0] + of[1]) + (of[2] + of[3]); }
};

// Sums over the places of the samples of a range, for each part of the channels: the two rows of
// the range's slot. `row(part, sample, y, sums)` adds a row of places. Rows are added up by
// themselves first, which keeps the rounding errors of long sums small.
template <class Row>
void sum_places(float* slot, int64_t channels, int64_t height, Range range, const Row& row) {
  const int64_t size = channel_floats(channels);
  std::memset(slot, 0, static_cast<size_t>(2 * size) * sizeof(float));
  for (int64_t i = range.begin; i < range.end; ++i)
    for (int64_t y = 0; y < height; ++y)
      each_part(channels, true, [&](Part part) {
        Sums sums;
        row(part, i, y, sums);
        float* first = slot + part.at;
        store(first, keep_first(load(first) + Sums::total(sums.first), part.count));
        store(first + size, keep_first(load(first + size) + Sums::total(sums.second), part.count));
      });
}

// Calls f(place) for each place of a row, as many at a time as there are chains of sums.
template <class F>
STRIATE_INLINE void each_place(int64_t width, const F& f) {
  int64_t x = 0;
  for (; x + Sums::CHAINS <= width; x += Sums::CHAINS) f(x), f(x + 1), f(x + 2), f(x + 3);
  for (; x < width; ++x) f(x);
}

// statistics = {sum of x, sum of x^2}, slotted.
struct BatchStatistics final : Kernel {
  View input;
  Int height = 1, width = 1, channels = 1;
  Ref statistics;

  template <class V>
  void visit(V& v) {
    v("input", input), v("height", height), v("width", width), v("channels", channels);
    v("statistics", statistics);
  }

  void check(const Check& c) const override {
    check_sizes(c, {height, width, channels});
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("statistics", statistics, 2 * channel_bytes(channels), c.slots());
  }

  void run(const Context& context, Range range) const override {
    sum_places(context.at<float>(statistics, range.slot), channels, height, range,
               [&](Part part, int64_t sample, int64_t y, Sums& sums) __attribute__((always_inline)) {
                 const float* from = context.at(input, sample) + y * input.row + part.at;
                 each_place(width, [&](int64_t x) __attribute__((always_inline)) {
                   const Vec v = load_first(from + x * input.pixel, part.count);
                   sums.add(x, v, v, v);
                 });
               });
  }
};

// The mean and 1 / sqrt(variance + epsilon) of the batch from its statistics; variances divide by
// the count. The moving ones become momentum * moving + (1 - momentum) * batch; the variance that
// moves divides by count - 1 if `unbiased`.
struct BatchNormFinish final : Kernel {
  Ref statistics;
  Int block = 1, count_per_sample = 1, channels = 1;
  Ref mean, rstd, moving_mean, moving_variance;
  Real momentum = 0, epsilon = 0;
  Int unbiased = 0;

  template <class V>
  void visit(V& v) {
    v("statistics", statistics), v("block", block), v("count_per_sample", count_per_sample);
    v("channels", channels), v("mean", mean), v("rstd", rstd);
    v("moving_mean", moving_mean), v("moving_variance", moving_variance);
    v("momentum", momentum), v("epsilon", epsilon), v("unbiased", unbiased);
  }

  void check(const Check& c) const override {
    check_sizes(c, {count_per_sample, block, channels});
    c.holds("statistics", statistics, 2 * channel_bytes(channels), divide_up(c.batch(), block));
    c.holds("mean", mean, channel_bytes(channels));
    c.holds("rstd", rstd, channel_bytes(channels));
    c.that(given(moving_mean) == given(moving_variance), "a mean moves with its variance");
    if (!given(moving_mean)) return;
    c.holds("moving_mean", moving_mean, channel_bytes(channels));
    c.holds("moving_variance", moving_variance, channel_bytes(channels));
  }

  void run(const Context& context, Range) const override {
    const double count = static_cast<double>(context.step.samples * count_per_sample);
    for (int64_t c = 0; c < channel_floats(channels); ++c) {
      const double average = total(context, c) / count;
      const double square = total(context, channel_floats(channels) + c) / count;
      const double variance = c < channels ? std::max(square - average * average, 0.0) : 0;
      context.at<float>(mean)[c] = static_cast<float>(average);
      context.at<float>(rstd)[c] =
          c < channels ? static_cast<float>(1 / std::sqrt(variance + epsilon)) : 0;
      if (!given(moving_mean)) continue;
      move(context.at<float>(moving_mean)[c], average);
      move(context.at<float>(moving_variance)[c],
           unbiased ? variance * count / std::max(count - 1, 1.0) : variance);
    }
  }

 private:
  double total(const Context& context, int64_t at) const {
    double sum = 0;
    for (int64_t slot = 0; slot < divide_up(context.step.samples, block); ++slot)
      sum += static_cast<double>(context.at<float>(statistics, slot)[at]);
    return sum;
  }
  void move(float& moving, double to) const {
    moving = static_cast<float>(momentum * static_cast<double>(moving) + (1 - momentum) * to);
  }
};

enum Activation : Int { LINEAR, RELU, LEAKY };

// y = activation(gamma * (x - mean) * rstd + beta [+ addend])
struct BatchNormApply final : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1;
  Ref mean, rstd, gamma, beta;
  View addend;
  Int activation = LINEAR;
  Real slope = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
    v("mean", mean), v("rstd", rstd), v("gamma", gamma), v("beta", beta), v("addend", addend);
    v("activation", activation), v("slope", slope);
  }

  void check(const Check& c) const override {
    check_sizes(c, {height, width, channels});
    c.between("activation", activation, LINEAR, LEAKY);
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output", output, height, width, channels, c.batch());
    if (given(addend)) c.holds("addend", addend, height, width, channels, c.batch());
    c.holds("mean", mean, channel_bytes(channels));
    c.holds("rstd", rstd, channel_bytes(channels));
    if (given(gamma)) c.holds("gamma", gamma, channel_bytes(channels));
    if (given(beta)) c.holds("beta", beta, channel_bytes(channels));
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < height; ++y)
        each_part(channels, padded(output), [&](Part part) __attribute__((always_inline)) {
          if (given(addend))
            row(context, i, y, part, [&](const float* more) __attribute__((always_inline)) {
              return load_first(more, part.count);
            });
          else
            row(context, i, y, part, [](const float*) { return Vec{}; });
        });
  }

 private:
  template <class More>
  STRIATE_INLINE void row(const Context& context, int64_t sample, int64_t y, Part part,
                          const More& more) const {
    const Vec center = channel_values(context, mean, part, 0);
    const Vec scale =
        channel_values(context, rstd, part, 0) * channel_values(context, gamma, part, 1);
    const Vec shift = channel_values(context, beta, part, 0);
    const float below = activation == LINEAR ? 1 : activation == RELU ? 0 : static_cast<float>(slope);
    const float* from = context.at(input, sample) + y * input.row + part.at;
    const float* add = given(addend) ? context.at(addend, sample) + y * addend.row + part.at : from;
    float* to = context.at(output, sample) + y * output.row;
    for (int64_t x = 0; x < width; ++x) {
      const Vec centered = load_first(from + x * input.pixel, part.count) - center;
      const Vec v = fma(centered, scale, shift) + more(add + x * addend.pixel);
      Line{to + x * output.pixel, padded(output)}.put(part, select(v > 0, v, v * below));
    }
  }
};

// dz = dy * activation'(y), the gradient in front of the activation, which is also that of the
// addend, and its sums over a block: {sum of dz, sum of dz * xhat}, xhat = (x - mean) * rstd.
struct BatchNormGradientSums final : Kernel {
  View input, output, output_gradient;
  Int height = 1, width = 1, channels = 1;
  Ref mean, rstd;
  Int activation = LINEAR;
  Real slope = 0;
  Ref sums;
  View masked_gradient;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output), v("output_gradient", output_gradient);
    v("height", height), v("width", width), v("channels", channels);
    v("mean", mean), v("rstd", rstd), v("activation", activation), v("slope", slope);
    v("sums", sums), v("masked_gradient", masked_gradient);
  }

  void check(const Check& c) const override {
    check_sizes(c, {height, width, channels});
    c.between("activation", activation, LINEAR, LEAKY);
    c.holds("input", input, height, width, channels, c.batch());
    if (activation != LINEAR) c.holds("output", output, height, width, channels, c.batch());
    c.holds("output_gradient", output_gradient, height, width, channels, c.batch());
    c.holds("mean", mean, channel_bytes(channels));
    c.holds("rstd", rstd, channel_bytes(channels));
    c.holds("sums", sums, 2 * channel_bytes(channels), c.slots());
    if (given(masked_gradient))
      c.holds("masked_gradient", masked_gradient, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    if (activation == LINEAR)
      sum_all(context, range, [](Vec dy, const float*, int64_t) { return dy; });
    else
      sum_all(context, range, [this](Vec dy, const float* y, int64_t count)
                                  __attribute__((always_inline)) {
        const float below = activation == RELU ? 0 : static_cast<float>(slope);
        return select(load_first(y, count) > 0, dy, dy * below);
      });
  }

 private:
  template <class Mask>
  void sum_all(const Context& context, Range range, const Mask& mask) const {
    sum_places(context.at<float>(sums, range.slot), channels, height, range,
               [&](Part part, int64_t sample, int64_t y, Sums& sums_of_row)
                   __attribute__((always_inline)) {
                     if (given(masked_gradient))
                       row<true>(context, sample, y, part, mask, sums_of_row);
                     else
                       row<false>(context, sample, y, part, mask, sums_of_row);
                   });
  }

  template <bool KEEP, class Mask>
  STRIATE_INLINE void row(const Context& context, int64_t sample, int64_t y, Part part,
                          const Mask& mask, Sums& of_row) const {
    const Vec center = channel_values(context, mean, part, 0);
    const Vec scale = channel_values(context, rstd, part, 0);
    const float* x_row = context.at(input, sample) + y * input.row + part.at;
    const float* dy_row = context.at(output_gradient, sample) + y * output_gradient.row + part.at;
    const float* y_row =
        activation == LINEAR ? x_row : context.at(output, sample) + y * output.row + part.at;
    float* to = KEEP ? context.at(masked_gradient, sample) + y * masked_gradient.row : nullptr;
    each_place(width, [&](int64_t x) __attribute__((always_inline)) {
      const Vec dy = load_first(dy_row + x * output_gradient.pixel, part.count);
      const Vec dz = mask(dy, y_row + x * output.pixel, part.count);
      const Vec hat = (load_first(x_row + x * input.pixel, part.count) - center) * scale;
      of_row.add(x, dz, dz, hat);
      if (KEEP) Line{to + x * masked_gradient.pixel, padded(masked_gradient)}.put(part, dz);
    });
  }
};

// Adds up the slots of gradient sums: `total` = {sum of dz, sum of dz * xhat} of the batch, which
// are also the gradients of beta and gamma.
struct BatchNormGradientFinish final : Kernel {
  Ref sums;
  Int block = 1, channels = 1;
  Ref total, gamma_gradient, beta_gradient;

  template <class V>
  void visit(V& v) {
    v("sums", sums), v("block", block), v("channels", channels), v("total", total);
    v("gamma_gradient", gamma_gradient), v("beta_gradient", beta_gradient);
  }

  void check(const Check& c) const override {
    check_sizes(c, {block, channels});
    c.holds("sums", sums, 2 * channel_bytes(channels), divide_up(c.batch(), block));
    c.holds("total", total, 2 * channel_bytes(channels));
    if (given(gamma_gradient)) c.holds("gamma_gradient", gamma_gradient, channel_bytes(channels));
    if (given(beta_gradient)) c.holds("beta_gradient", beta_gradient, channel_bytes(channels));
  }

  void run(const Context& context, Range) const override {
    const int64_t size = channel_floats(channels);
    float* to = context.at<float>(total);
    for (int64_t c = 0; c < 2 * size; ++c) {
      double sum = 0;
      for (int64_t slot = 0; slot < divide_up(context.step.samples, block); ++slot)
        sum += static_cast<double>(context.at<float>(sums, slot)[c]);
      to[c] = static_cast<float>(sum);
    }
    const size_t bytes = static_cast<size_t>(size) * sizeof(float);
    if (given(beta_gradient)) std::memcpy(context.at<float>(beta_gradient), to, bytes);
    if (given(gamma_gradient)) std::memcpy(context.at<float>(gamma_gradient), to + size, bytes);
  }
};

// dx = gamma * rstd * (dz - mean of dz - xhat * mean of dz * xhat); output_gradient is dz, the means
// are over the batch.
struct BatchNormBackward final : Kernel {
  View input, output_gradient, input_gradient;
  Int height = 1, width = 1, channels = 1, count_per_sample = 1;
  Ref mean, rstd, gamma, total;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output_gradient", output_gradient), v("input_gradient", input_gradient);
    v("height", height), v("width", width), v("channels", channels);
    v("count_per_sample", count_per_sample);
    v("mean", mean), v("rstd", rstd), v("gamma", gamma), v("total", total);
  }

  void check(const Check& c) const override {
    check_sizes(c, {height, width, channels, count_per_sample});
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output_gradient", output_gradient, height, width, channels, c.batch());
    c.holds("input_gradient", input_gradient, height, width, channels, c.batch());
    c.holds("mean", mean, channel_bytes(channels));
    c.holds("rstd", rstd, channel_bytes(channels));
    if (given(gamma)) c.holds("gamma", gamma, channel_bytes(channels));
    c.holds("total", total, 2 * channel_bytes(channels));
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < height; ++y)
        each_part(channels, padded(input_gradient),
                  [&](Part part) __attribute__((always_inline)) { row(context, i, y, part); });
  }

 private:
  // With a = gamma * rstd and k = rstd * mean of dz * xhat:
  // dx = a * (dz - (x - mean) * k - mean of dz)
  STRIATE_INLINE void row(const Context& context, int64_t sample, int64_t y, Part part) const {
    const float count = static_cast<float>(context.step.samples * count_per_sample);
    const float* totals = context.at<float>(total) + part.at;
    const Vec center = channel_values(context, mean, part, 0);
    const Vec inverse = channel_values(context, rstd, part, 0);
    const Vec scale = inverse * channel_values(context, gamma, part, 1);
    const Vec level = load_first(totals, part.count) / count;
    const Vec tilt = load_first(totals + channel_floats(channels), part.count) / count * inverse;
    const float* x_row = context.at(input, sample) + y * input.row + part.at;
    const float* dz_row = context.at(output_gradient, sample) + y * output_gradient.row + part.at;
    float* to = context.at(input_gradient, sample) + y * input_gradient.row;
    for (int64_t x = 0; x < width; ++x) {
      const Vec centered = load_first(x_row + x * input.pixel, part.count) - center;
      const Vec dz = load_first(dz_row + x * output_gradient.pixel, part.count);
      const Vec dx = scale * (dz - level - centered * tilt);
      Line{to + x * input_gradient.pixel, padded(input_gradient)}.put(part, dx);
    }
  }
};

}  // namespace

Entries norm_kernels() {
  return {entry<BatchStatistics>("batch_statistics"),
          entry<BatchNormFinish>("batch_norm_finish"),
          entry<BatchNormApply>("batch_norm_apply"),
          entry<BatchNormGradientSums>("batch_norm_gradient_sums"),
          entry<BatchNormGradientFinish>("batch_norm_gradient_finish"),
          entry<BatchNormBackward>("batch_norm_backward")};
}

}  // namespace striate
