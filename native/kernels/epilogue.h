// What the forward convolutions have in common: their fields, and what becomes of their sums.
#pragma once

#include "../plan.h"
#include "../vector.h"

namespace striate {

// y = pool(activation(sum over taps and channels + bias [+ addend])), then dropout. Tap (ky, kx) of place
// (oy, ox) reads the input at (oy * stride_y + ky * dilation_y, ox * stride_x + kx * dilation_x)
// from its origin. A convolution that derives from this computes the sums of a band of places,
// rows x width x pixel(), and gives them to `finish`.
struct ConvForward : Kernel {
  enum Activation : Int { LINEAR, RELU, LEAKY };
  enum Pool : Int { NO_POOL, MAX_POOL, AVERAGE_POOL };
  static constexpr uint8_t DEAD = 255;  // in the index: the gradient is zero

  View input;
  Int channels = 1;
  Ref weight, bias;
  View output;
  Int height = 1, width = 1, filters = 1, kernel_height = 1, kernel_width = 1;
  Int stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1, groups = 1;
  Int activation = LINEAR;
  Real slope = 0;
  Int pool = NO_POOL, pool_height = 1, pool_width = 1, pool_stride_y = 1, pool_stride_x = 1;
  Ref index;
  Real drop = 0;
  Int key = 0;
  Ref statistics;
  View addend;

  template <class V>
  void visit(V& v) {
    v("input", input), v("channels", channels), v("weight", weight), v("bias", bias);
    v("output", output), v("height", height), v("width", width), v("filters", filters);
    v("kernel_height", kernel_height), v("kernel_width", kernel_width);
    v("stride_y", stride_y), v("stride_x", stride_x);
    v("dilation_y", dilation_y), v("dilation_x", dilation_x), v("groups", groups);
    v("activation", activation), v("slope", slope), v("pool", pool);
    v("pool_height", pool_height), v("pool_width", pool_width);
    v("pool_stride_y", pool_stride_y), v("pool_stride_x", pool_stride_x), v("index", index);
    v("drop", drop), v("key", key), v("statistics", statistics);
    v("addend", addend);
  }

  // Floats from one place of the sums to the next, and those of them that are computed: the vectors
  // with a filter in them. What such a vector has behind the filters is zero.
  int64_t pixel() const { return round_up(filters, GROUP); }
  int64_t computed() const { return round_up(filters, LANES); }
  int64_t taps() const { return kernel_height * kernel_width; }
  bool depthwise() const { return groups == channels && groups == filters && groups > 1; }
  int64_t pooled_height() const {
    return pool == NO_POOL ? height : (height - pool_height) / pool_stride_y + 1;
  }
  int64_t pooled_width() const {
    return pool == NO_POOL ? width : (width - pool_width) / pool_stride_x + 1;
  }
  // The first place that rows from `pooled` on need, and the rows of places for `count` of them.
  int64_t first_row(int64_t pooled) const {
    return pool == NO_POOL ? pooled : pooled * pool_stride_y;
  }
  int64_t rows_for(int64_t count) const {
    return pool == NO_POOL ? count : (count - 1) * pool_stride_y + pool_height;
  }

  // Pooled rows whose sums fit in the L1 cache together, at least one.
  int64_t band() const;

  // All fields but the weight.
  void check_common(const Check& c) const;

  // Where the kernel sums statistics: zero before the first sample of its range.
  void begin_statistics(const Context& context, Range range) const;

  // Bias, activation, pool, index, dropout and statistics for the pooled rows [begin, end) of a
  // sample; `sums` has the places from first_row(begin) on.
  void finish(const float* sums, const Context& context, Range range, int64_t sample,
              int64_t begin, int64_t end) const;

 private:
  void add_statistics(const float* sums, const Context& context, Range range, int64_t rows) const;
};

}  // namespace striate
