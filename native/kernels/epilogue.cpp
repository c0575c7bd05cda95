// What becomes of the sums of a convolution: bias, activation, pool, dropout, statistics.
#include "epilogue.h"

#include <algorithm>

#include "../random.h"

namespace striate {
namespace {

// Rows of places become rows of the output. WINDOW is the side of the pool's window, 0: any size.
class Finish {
 public:
  Finish(const ConvForward& conv, const Context& context, int64_t sample)
      : conv_(conv),
        bias_(given(conv.bias) ? context.at<float>(conv.bias) : nullptr),
        pixel_(conv.pixel()),
        computed_(conv.computed()),
        row_(conv.width * pixel_),
        written_(written(conv.output, conv.filters)),
        pooled_width_(conv.pooled_width()),
        dropout_(context.step, conv.key, sample, conv.drop) {}

  void plain(const float* from, float* to) const {
    for (int64_t x = 0; x < pooled_width_; ++x, from += pixel_, to += conv_.output.pixel)
      for (int64_t c = 0; c < computed_; c += LANES)
        store_first(to + c, activate(load(from + c) + bias(c)), written_ - c);
  }

  void sum(const float* from, const float* addend, float* to) const {
    for (int64_t x = 0; x < pooled_width_; ++x, from += pixel_, to += conv_.output.pixel) {
      for (int64_t c = 0; c < computed_; c += LANES) {
        const Vec more = load_first(addend + c, conv_.filters - c);
        store_first(to + c, activate(load(from + c) + bias(c) + more), written_ - c);
      }
      addend += conv_.addend.pixel;
    }
  }

  void average(const float* from, float* to) const {
    const int64_t places = conv_.pool_height * conv_.pool_width;
    const Vec share = all(1.0f / static_cast<float>(places));
    for (int64_t x = 0; x < pooled_width_; ++x, to += conv_.output.pixel)
      for (int64_t c = 0; c < computed_; c += LANES) {
        const float* window = from + x * conv_.pool_stride_x * pixel_ + c;
        Vec sum{};
        for (int64_t ky = 0; ky < conv_.pool_height; ++ky)
          for (int64_t kx = 0; kx < conv_.pool_width; ++kx)
            sum += activate(load(window + ky * row_ + kx * pixel_) + bias(c));
        store_first(to + c, sum * share, written_ - c);
      }
  }

  // The bias and the activation rise with their argument, so they wait until the largest is found.
  template <int WINDOW>
  void largest(const float* from, float* to, uint8_t* index, int64_t y) const {
    for (int64_t x = 0; x < pooled_width_; ++x, to += conv_.output.pixel, index += pixel_)
      for (int64_t c = 0; c < computed_; c += LANES) {
        IntVec winner;
        const Vec sum = winner_of<WINDOW>(from + x * conv_.pool_stride_x * pixel_ + c, winner);
        Vec value = activate(sum + bias(c));
        if (conv_.activation == ConvForward::RELU)
          winner = value > Vec{} ? winner : all(int32_t{ConvForward::DEAD});
        if (conv_.drop > 0) drop(value, winner, (y * pooled_width_ + x) * conv_.filters + c);
        store_bytes(index + c, winner);
        store_first(to + c, value, written_ - c);
      }
  }

  void largest_without_index(const float* from, float* to) const {
    for (int64_t x = 0; x < pooled_width_; ++x, to += conv_.output.pixel)
      for (int64_t c = 0; c < computed_; c += LANES) {
        const float* window = from + x * conv_.pool_stride_x * pixel_ + c;
        Vec best = load(window);
        for (int64_t ky = 0; ky < conv_.pool_height; ++ky)
          for (int64_t kx = 0; kx < conv_.pool_width; ++kx)
            best = max(best, load(window + ky * row_ + kx * pixel_));
        store_first(to + c, activate(best + bias(c)), written_ - c);
      }
  }

  // Zeros in what the output has behind the computed channels.
  void clear_behind(float* to) const {
    if (written_ <= computed_) return;
    for (int64_t x = 0; x < pooled_width_; ++x, to += conv_.output.pixel)
      std::fill(to + computed_, to + written_, 0.0f);
  }

 private:
  STRIATE_INLINE Vec bias(int64_t c) const { return bias_ == nullptr ? Vec{} : load(bias_ + c); }

  STRIATE_INLINE Vec activate(Vec x) const {
    if (conv_.activation == ConvForward::LINEAR) return x;
    if (conv_.activation == ConvForward::RELU) return max(Vec{}, x);
    return x > Vec{} ? x : x * all(static_cast<float>(conv_.slope));
  }

  template <int WINDOW>
  STRIATE_INLINE Vec winner_of(const float* window, IntVec& winner) const {
    const int64_t height = WINDOW == 0 ? conv_.pool_height : WINDOW;
    const int64_t width = WINDOW == 0 ? conv_.pool_width : WINDOW;
    Vec best = load(window);
    winner = IntVec{};
    int32_t number = 0;
    for (int64_t ky = 0; ky < height; ++ky)
      for (int64_t kx = 0; kx < width; ++kx, ++number) {
        const Vec v = load(window + ky * row_ + kx * pixel_);
        winner = v > best ? all(number) : winner;
        best = max(v, best);
      }
    return best;
  }

  STRIATE_INLINE void drop(Vec& value, IntVec& winner, int64_t element) const {
    const IntVec kept = dropout_.keeps_vector(element);
    value = kept ? value * dropout_.scale() : Vec{};
    winner = kept ? winner : all(int32_t{ConvForward::DEAD});
  }

  const ConvForward& conv_;
  const float* bias_;
  const int64_t pixel_, computed_, row_, written_, pooled_width_;
  const Dropout dropout_;
};

}  // namespace

int64_t ConvForward::band() const {
  constexpr int64_t BYTES = 24 << 10;
  const int64_t rows = BYTES / (width * pixel() * 4);
  const int64_t step = pool == NO_POOL ? 1 : pool_stride_y;
  return std::clamp<int64_t>((rows - rows_for(1)) / step + 1, 1, pooled_height());
}

void ConvForward::check_common(const Check& c) const {
  constexpr int64_t SIDE = 1 << 15, KERNEL = 255, CHANNELS = 1 << 20, MOST_SUMS = 1 << 28;
  c.between("channels", channels, 1, CHANNELS);
  c.between("filters", filters, 1, CHANNELS);
  c.between("groups", groups, 1, CHANNELS);
  c.that(channels % groups == 0 && filters % groups == 0, "groups are unequal");
  c.between("height", height, 1, SIDE);
  c.between("width", width, 1, SIDE);
  c.between("kernel_height", kernel_height, 1, KERNEL);
  c.between("kernel_width", kernel_width, 1, KERNEL);
  for (Int step : {stride_y, stride_x, dilation_y, dilation_x, pool_stride_y, pool_stride_x})
    c.between("stride or dilation", step, 1, SIDE);
  c.holds("input", input, (height - 1) * stride_y + (kernel_height - 1) * dilation_y + 1,
          (width - 1) * stride_x + (kernel_width - 1) * dilation_x + 1, channels, c.batch());
  c.between("activation", activation, LINEAR, LEAKY);
  c.between("pool", pool, NO_POOL, AVERAGE_POOL);
  if (pool != NO_POOL) {
    c.between("pool_height", pool_height, 1, height);
    c.between("pool_width", pool_width, 1, width);
  }
  c.that(rows_for(1) * width * pixel() <= MOST_SUMS, "a row is too long");
  c.that(pool != MAX_POOL || activation != LEAKY || slope >= 0, "the activation must not fall");
  if (given(addend)) {
    c.that(pool == NO_POOL && !given(statistics), "what is added is added to plain sums");
    c.holds("addend", addend, height, width, filters, c.batch());
  }
  c.holds("output", output, pooled_height(), pooled_width(), filters, c.batch());
  if (given(bias)) c.holds("bias", bias, pixel() * 4);
  if (given(index)) {
    c.that(pool == MAX_POOL && pool_height * pool_width < DEAD, "no index for such a pool");
    c.holds("index", index, pooled_height() * pooled_width() * pixel(), c.batch());
  }
  c.that(drop == 0 || (drop > 0 && drop < 1 && given(index)), "dropout needs an index");
  if (given(statistics)) {
    c.that(activation == LINEAR && pool == NO_POOL, "statistics are taken of plain sums");
    c.holds("statistics", statistics, 2 * pixel() * 4, c.slots());
  }
}

void ConvForward::begin_statistics(const Context& context, Range range) const {
  if (!given(statistics)) return;
  float* sums = context.at<float>(statistics, range.slot);
  std::fill(sums, sums + 2 * pixel(), 0.0f);
}

void ConvForward::finish(const float* sums, const Context& context, Range range, int64_t sample,
                         int64_t begin, int64_t end) const {
  const Finish rows(*this, context, sample);
  for (int64_t y = begin; y < end; ++y) {
    const float* from = sums + (first_row(y) - first_row(begin)) * width * pixel();
    float* to = context.at(output, sample) + y * output.row;
    if (given(addend)) {
      rows.sum(from, context.at(addend, sample) + y * addend.row, to);
    } else if (pool == NO_POOL) {
      rows.plain(from, to);
    } else if (pool == AVERAGE_POOL) {
      rows.average(from, to);
    } else if (!given(index)) {
      rows.largest_without_index(from, to);
    } else {
      uint8_t* winners = context.at<uint8_t>(index, sample) + y * pooled_width() * pixel();
      if (pool_height == 2 && pool_width == 2)
        rows.largest<2>(from, to, winners, y);
      else
        rows.largest<0>(from, to, winners, y);
    }
  }
  if (given(statistics)) add_statistics(sums, context, range, end - begin);
}

void ConvForward::add_statistics(const float* sums, const Context& context, Range range,
                                 int64_t rows) const {
  float* totals = context.at<float>(statistics, range.slot);
  for (int64_t c = 0; c < computed(); c += LANES) {
    const Vec shift = given(bias) ? load(context.at<float>(bias) + c) : Vec{};
    Vec total{}, squares{};
    for (int64_t place = 0; place < rows * width; ++place) {
      const Vec y = load(sums + place * pixel() + c) + shift;
      total += y;
      squares = fma(y, y, squares);
    }
    store(totals + c, load(totals + c) + total);
    store(totals + pixel() + c, load(totals + pixel() + c) + squares);
  }
}

}  // namespace striate
