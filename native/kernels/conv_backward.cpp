// Gradients of convolutions: the fields' verification and the dense kernels.
#include "conv_backward.h"

#include "conv.h"
#include "conv_depthwise.h"
#include "conv_input_gradient.h"
#include "epilogue.h"
#include "families.h"

namespace striate {
namespace {

constexpr int64_t MOST_FLOATS = 1 << 28;  // in scratch memory

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// How far the places that an axis of the input reaches lie before the first and behind the last.
std::pair<int64_t, int64_t> overhang(int64_t cells, int64_t pad, int64_t places, int64_t kernel,
                                     int64_t stride, int64_t dilation) {
  const int64_t first = floor_divide(pad - (kernel - 1) * dilation, stride);
  const int64_t last = (cells - 1 + pad) / stride;
  return {std::max<int64_t>(0, -first), std::max<int64_t>(0, last - (places - 1))};
}

}  // namespace

int64_t ConvBackward::pooled_height() const {
  return pool == ConvForward::NO_POOL ? height : (height - pool_height) / pool_stride_y + 1;
}

int64_t ConvBackward::pooled_width() const {
  return pool == ConvForward::NO_POOL ? width : (width - pool_width) / pool_stride_x + 1;
}

ConvBackward::Halo ConvBackward::halo() const {
  if (!given(input_gradient)) return {};
  const auto [top, bottom] =
      overhang(in_height, pad_y, height, kernel_height, stride_y, dilation_y);
  const auto [left, right] = overhang(in_width, pad_x, width, kernel_width, stride_x, dilation_x);
  return {top, bottom, left, right};
}

void ConvBackward::check_common(const Check& c) const {
  constexpr int64_t SIDE = 1 << 15, KERNEL = 255, CHANNELS = 1 << 20;
  c.between("channels", channels, 1, CHANNELS);
  c.between("filters", filters, 1, CHANNELS);
  c.between("groups", groups, 1, CHANNELS);
  c.that(channels % groups == 0 && filters % groups == 0, "groups are unequal");
  for (Int side : {height, width, in_height, in_width}) c.between("a side", side, 1, SIDE);
  c.between("kernel_height", kernel_height, 1, KERNEL);
  c.between("kernel_width", kernel_width, 1, KERNEL);
  for (Int step : {stride_y, stride_x, dilation_y, dilation_x, pool_stride_y, pool_stride_x})
    c.between("stride or dilation", step, 1, SIDE);
  for (Int pad : {pad_y, pad_x}) c.between("padding", pad, 0, SIDE);
  c.holds("input", input, (height - 1) * stride_y + (kernel_height - 1) * dilation_y + 1,
          (width - 1) * stride_x + (kernel_width - 1) * dilation_x + 1, channels, c.batch());
  c.between("activation", activation, ConvForward::LINEAR, ConvForward::LEAKY);
  c.between("pool", pool, ConvForward::NO_POOL, ConvForward::AVERAGE_POOL);
  c.that(pool != ConvForward::AVERAGE_POOL || activation == ConvForward::LINEAR,
         "the mean hides the signs that the activation's gradient needs");
  if (pool != ConvForward::NO_POOL) {
    c.between("pool_height", pool_height, 1, height);
    c.between("pool_width", pool_width, 1, width);
  }
  if (pool == ConvForward::MAX_POOL)
    c.holds("index", index, pooled_height() * pooled_width() * pixel(), c.batch());
  c.that(drop >= 0 && drop < 1, "drop is no share");
  c.holds("output_gradient", output_gradient, pooled_height(), pooled_width(), filters, c.batch());
  if (reads_output())
    c.holds("output", output, pooled_height(), pooled_width(), filters, c.batch());
  if (given(input_gradient))
    c.holds("input_gradient", input_gradient, in_height, in_width, channels, c.batch());
  c.holds("weight_gradient", weight_gradient, taps() * (channels / groups) * pixel() * 4,
          c.slots());
  if (given(bias_gradient)) c.holds("bias_gradient", bias_gradient, pixel() * 4, c.slots());
  const Halo room = halo();
  const int64_t places = (room.top + height + room.bottom) * (room.left + width + room.right);
  c.that(places <= MOST_FLOATS && places * pixel() <= MOST_FLOATS, "the image is too large");
}

// The largest value has its place in the index, and whether it was positive too; only how much a
// negative one counted is not there.
bool ConvBackward::reads_output() const {
  return activation == ConvForward::LEAKY ||
         (activation == ConvForward::RELU && pool == ConvForward::NO_POOL);
}

namespace {

// Rows of the output's gradient become rows of places, and are summed for the bias.
class Spread {
 public:
  Spread(const ConvBackward& conv, const Context& context, int64_t sample, float* places)
      : conv_(conv),
        gradient_(context.at(conv.output_gradient, sample)),
        output_(conv.reads_output() ? context.at(conv.output, sample) : nullptr),
        index_(conv.pool == ConvForward::MAX_POOL ? context.at<uint8_t>(conv.index, sample)
                                                  : nullptr),
        places_(places),
        width_(conv.pooled_width()),
        pixel_(conv.pixel()),
        row_(conv.gradient_row()),
        falling_(all(conv.activation == ConvForward::RELU ? 0.0f
                                                          : static_cast<float>(conv.slope))),
        kept_(all(static_cast<float>(1 / (1 - conv.drop)))) {}

  void row(int64_t y, float* biases) const {
    if (conv_.pool == ConvForward::NO_POOL)
      plain(y, biases);
    else if (conv_.pool == ConvForward::AVERAGE_POOL)
      evenly(y, biases);
    else if (conv_.windows_overlap())
      largest<0, true>(y, biases);
    else if (conv_.pool_height == 2 && conv_.pool_width == 2)
      largest<2, false>(y, biases);
    else
      largest<0, false>(y, biases);
  }

 private:
  // `put(x, channel, gradient)` does the rest and returns what of it the bias gets.
  template <class Put>
  STRIATE_INLINE void each(int64_t y, float* biases, const Put& put) const {
    const float* from = gradient_ + y * conv_.output_gradient.row;
    const float* values = output_ == nullptr ? nullptr : output_ + y * conv_.output.row;
    for (int64_t c = 0; c < pixel_; c += LANES) {
      const int64_t count = conv_.filters - c;
      Vec total = load(biases + c);
      for (int64_t x = 0; x < width_; ++x) {
        Vec g = load_first(from + x * conv_.output_gradient.pixel + c, count);
        if (values != nullptr)
          g = load(values + x * conv_.output.pixel + c) > Vec{} ? g : g * falling_;
        total += put(x, c, g);
      }
      store(biases + c, total);
    }
  }

  void plain(int64_t y, float* biases) const {
    float* to = places_ + y * row_;
    each(y, biases, [&](int64_t x, int64_t c, Vec g) {
      store(to + x * pixel_ + c, g);
      return g;
    });
  }

  void evenly(int64_t y, float* biases) const {
    const Vec share = all(1.0f / static_cast<float>(conv_.pool_height * conv_.pool_width));
    float* first = places_ + y * conv_.pool_stride_y * row_;
    each(y, biases, [&](int64_t x, int64_t c, Vec g) {
      float* window = first + x * conv_.pool_stride_x * pixel_ + c;
      for (int64_t ky = 0; ky < conv_.pool_height; ++ky)
        for (int64_t kx = 0; kx < conv_.pool_width; ++kx) {
          float* to = window + ky * row_ + kx * pixel_;
          store(to, fma(g, share, load(to)));
        }
      return g;
    });
  }

  // WINDOW is the side of the windows, 0: any size.
  template <int WINDOW, bool ADD>
  void largest(int64_t y, float* biases) const {
    const int64_t height = WINDOW == 0 ? conv_.pool_height : WINDOW;
    const int64_t width = WINDOW == 0 ? conv_.pool_width : WINDOW;
    const uint8_t* winners = index_ + y * width_ * pixel_;
    float* first = places_ + y * conv_.pool_stride_y * row_;
    each(y, biases, [&](int64_t x, int64_t c, Vec pooled) {
      const Vec winner = load_bytes(winners + x * pixel_ + c), g = pooled * kept_;
      float* window = first + x * conv_.pool_stride_x * pixel_ + c;
      float number = 0;
      for (int64_t ky = 0; ky < height; ++ky)
        for (int64_t kx = 0; kx < width; ++kx, ++number) {
          float* to = window + ky * row_ + kx * pixel_;
          const Vec share = winner == all(number) ? g : Vec{};
          store(to, ADD ? load(to) + share : share);
        }
      return winner == all(float{ConvForward::DEAD}) ? Vec{} : g;
    });
  }

  const ConvBackward& conv_;
  const float* gradient_;
  const float* output_;
  const uint8_t* index_;
  float* places_;
  const int64_t width_, pixel_, row_;
  const Vec falling_, kept_;
};

}  // namespace

bool ConvBackward::windows_overlap() const {
  return pool_stride_y < pool_height || pool_stride_x < pool_width;
}

void ConvBackward::spread(const Context& context, Range range, int64_t sample, float* sums,
                          float* biases) const {
  float* places = sums + gradient_origin();
  const int64_t row = gradient_row();
  if (pool == ConvForward::AVERAGE_POOL || (pool == ConvForward::MAX_POOL && windows_overlap()))
    for (int64_t y = 0; y < height; ++y) std::fill_n(places + y * row, width * pixel(), 0.0f);
  if (given(bias_gradient)) biases = context.at<float>(bias_gradient, range.slot);
  if (sample == range.begin) std::fill_n(biases, pixel(), 0.0f);
  const Spread rows(*this, context, sample, places);
  for (int64_t y = 0, end = pooled_height(); y < end; ++y) rows.row(y, biases);
}

void ConvBackward::weight_gradient_of(const Context& context, Range range, int64_t sample,
                                      const float* sums) const {
  float* slot = context.at<float>(weight_gradient, range.slot);
  const float* from = context.at(input, sample);
  const bool add = sample != range.begin;
  const float* places = sums + gradient_origin();
  if (depthwise()) {
    depthwise_weight_gradient(from, places, slot, add);
    return;
  }
  const int64_t ins = channels / groups, outs = filters / groups;
  const bool joined = groups == 1 && dilation_x == 1 && input.pixel == channels;
  const Moments job{height, width, stride_y * input.row, stride_x * input.pixel,
                    dilation_y * input.row, gradient_row(), pixel(),
                    kernel_width * ins * pixel(), pixel(), add};
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t kx = 0; kx < (joined ? 1 : kernel_width); ++kx) {
      const float* cells = from + g * ins + kx * dilation_x * input.pixel;
      float* to = slot + kx * ins * pixel() + g * outs;
      cover(job, kernel_height, joined ? kernel_width * ins : ins,
            g + 1 < groups ? outs : pixel() - g * outs, places + g * outs,
            [&](int64_t r, int64_t c) {
              return std::pair{cells + r * job.input_cell_row + c,
                               to + r * job.output_row + c * job.output_step};
            });
    }
}

// A row of the kernel at a time: its taps find the same places in registers.
void ConvBackward::depthwise_weight_gradient(const float* from, const float* places, float* to,
                                             bool add) const {
  const Moments job{height, width, stride_y * input.row, stride_x * input.pixel, 0,
                    gradient_row(), pixel(), 0, 0, add};
  for (int64_t first = 0; first < taps(); first += CHANNEL_TAPS) {
    Tap list[CHANNEL_TAPS];
    const int64_t count = std::min<int64_t>(CHANNEL_TAPS, taps() - first);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t ky = (first + i) / kernel_width, kx = (first + i) % kernel_width;
      list[i] = {ky * dilation_y * input.row + kx * dilation_x * input.pixel,
                 (first + i) * pixel()};
    }
    channel_moments(job, list, count, channels, from, places, to);
  }
}

namespace {

// weight: [tap][filter][channels of the group rounded up to 16] as `pack_transposed` makes it; for
// a depthwise convolution the weights of the forward pass.
struct ConvBackwardDense final : ConvBackward {
  void check(const Check& c) const override {
    check_common(c);
    if (!given(input_gradient)) return;
    c.holds("weight", weight, taps() * (depthwise() ? pixel() : filters * packed()) * 4);
  }

  int64_t scratch() const override {
    return taps_bytes() + (pixel() + gradient_floats()) * 4;
  }

  void run(const Context& context, Range range) const override {
    Tap* list = reinterpret_cast<Tap*>(context.scratch);
    float* biases = reinterpret_cast<float*>(context.scratch + taps_bytes());
    float* sums = biases + pixel();
    std::fill_n(sums, gradient_floats(), 0.0f);
    const InputGradient<FloatProduct> input_gradient_of(*this, pixel(), filters / groups, list);
    for (int64_t i = range.begin; i < range.end; ++i) {
      spread(context, range, i, sums, biases);
      weight_gradient_of(context, range, i, sums);
      if (given(input_gradient))
        input_gradient_of(sums + gradient_origin(), context.at<float>(weight),
                          context.at(input_gradient, i));
    }
  }

 private:
  int64_t packed() const { return round_up(channels / groups, GROUP); }
  int64_t taps_bytes() const { return round_up(taps() * static_cast<int64_t>(sizeof(Tap)), 64); }
};

// Weights [tap][channel][filters rounded up to 16] to [tap][filter][channels rounded up to 16].
struct PackTransposed final : Kernel {
  Ref master, packed;
  Int taps = 1, channels = 1, filters = 1;

  template <class V>
  void visit(V& v) {
    v("master", master), v("packed", packed);
    v("taps", taps), v("channels", channels), v("filters", filters);
  }

  void check(const Check& c) const override {
    c.between("taps", taps, 1, 255 * 255);
    c.between("channels", channels, 1, 1 << 20);
    c.between("filters", filters, 1, 1 << 20);
    c.holds("master", master, taps * channels * round_up(filters, GROUP) * 4);
    c.holds("packed", packed, taps * filters * round_up(channels, GROUP) * 4);
  }

  int64_t parts(int64_t) const override { return taps; }

  void run(const Context& context, Range range) const override {
    const int64_t ins = round_up(channels, GROUP), outs = round_up(filters, GROUP);
    for (int64_t tap = range.begin; tap < std::min(range.end, taps); ++tap) {
      const float* from = context.at<float>(master) + tap * channels * outs;
      float* to = context.at<float>(packed) + tap * filters * ins;
      for (int64_t f = 0; f < filters; ++f)
        for (int64_t c = 0; c < ins; ++c) to[f * ins + c] = c < channels ? from[c * outs + f] : 0;
    }
  }
};

}  // namespace

Entries conv_backward_kernels() {
  return {entry<ConvBackwardDense>("conv_backward"), entry<PackTransposed>("pack_transposed")};
}

}  // namespace striate
