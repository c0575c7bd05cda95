// What the backward convolutions have in common: their fields, the way back through dropout, pool
// and activation, and the dense sums of products.
#pragma once

#include "../plan.h"
#include "../vector.h"

namespace striate {

// Fields as in ConvForward. `output_gradient` is the gradient of the pooled image. The gradient of
// the sums is spread over the places in scratch memory, with room around them (Halo) so that every
// tap of every cell of the input finds a place or a zero. `input_gradient` is written for every
// cell of the in_height x in_width image, in which tap (0, 0) of place (0, 0) is at
// (-pad_y, -pad_x).
struct ConvBackward : Kernel {
  View input;
  Int channels = 1;
  View output;
  Int height = 1, width = 1, filters = 1, kernel_height = 1, kernel_width = 1;
  Int stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1, groups = 1;
  Int activation = 0;
  Real slope = 0;
  Int pool = 0, pool_height = 1, pool_width = 1, pool_stride_y = 1, pool_stride_x = 1;
  Ref index;
  Real drop = 0;
  View output_gradient;
  Ref weight;
  View input_gradient;
  Int in_height = 1, in_width = 1, pad_y = 0, pad_x = 0;
  Ref weight_gradient, bias_gradient;

  template <class V>
  void visit(V& v) {
    v("input", input), v("channels", channels), v("output", output);
    v("height", height), v("width", width), v("filters", filters);
    v("kernel_height", kernel_height), v("kernel_width", kernel_width);
    v("stride_y", stride_y), v("stride_x", stride_x);
    v("dilation_y", dilation_y), v("dilation_x", dilation_x), v("groups", groups);
    v("activation", activation), v("slope", slope), v("pool", pool);
    v("pool_height", pool_height), v("pool_width", pool_width);
    v("pool_stride_y", pool_stride_y), v("pool_stride_x", pool_stride_x), v("index", index);
    v("drop", drop), v("output_gradient", output_gradient), v("weight", weight);
    v("input_gradient", input_gradient), v("in_height", in_height), v("in_width", in_width);
    v("pad_y", pad_y), v("pad_x", pad_x);
    v("weight_gradient", weight_gradient), v("bias_gradient", bias_gradient);
  }

  // Places around the image, in the gradient of the sums.
  struct Halo {
    int64_t top = 0, bottom = 0, left = 0, right = 0;
  };

  int64_t pixel() const { return round_up(filters, GROUP); }
  int64_t taps() const { return kernel_height * kernel_width; }
  bool depthwise() const { return groups == channels && groups == filters && groups > 1; }
  int64_t pooled_height() const;
  int64_t pooled_width() const;
  bool reads_output() const;
  bool windows_overlap() const;
  // The room that the input gradient needs; none where it is absent.
  Halo halo() const;
  // The gradient of the sums with its room: floats, of a row, and where place (0, 0) is.
  int64_t gradient_row() const { return (halo().left + width + halo().right) * pixel(); }
  int64_t gradient_floats() const {
    return (halo().top + height + halo().bottom) * gradient_row();
  }
  int64_t gradient_origin() const { return halo().top * gradient_row() + halo().left * pixel(); }

  // All fields but the weight.
  void check_common(const Check& c) const;

  // The gradient of the sums of a sample, in `sums` (gradient_floats(), zero where no gradient has
  // been before), and the bias's gradient: stored for the first sample of the range, else added,
  // in `biases` (pixel() floats of scratch memory) where the plan does not want it.
  void spread(const Context& context, Range range, int64_t sample, float* sums,
              float* biases) const;
  // The gradient of the weights, stored for the first sample of the range, else added.
  void weight_gradient_of(const Context& context, Range range, int64_t sample,
                          const float* sums) const;

 private:
  void depthwise_weight_gradient(const float* from, const float* places, float* to,
                                 bool add) const;
};

}  // namespace striate
