// The gradient of a convolution's input from that of its sums.
#pragma once

#include "conv.h"
#include "conv_backward.h"
#include "conv_depthwise.h"

namespace striate {

// The cells of one remainder modulo the stride, (y + pad_y) % stride_y and the same for x, are read
// by the same taps: their gradient is a correlation of the places with stride 1. A number of
// `places` and of the weights is what Product multiplies: `pixel` of them are a place, `run` the
// filters of a group. Weights: [tap][group][run][channels of the group rounded up to 16].
template <class Product>
class InputGradient {
 public:
  InputGradient(const ConvBackward& conv, int64_t pixel, int64_t run, Tap* taps)
      : conv_(conv),
        pixel_(pixel),
        row_(conv.gradient_row() / conv.pixel() * pixel),
        run_(run),
        groups_(conv.depthwise() ? 1 : conv.groups),
        channels_(conv.channels / groups_),
        lanes_(groups_ == 1 ? written(conv.input_gradient, channels_) : channels_),
        pitch_(round_up(channels_, GROUP)),
        taps_(taps) {}

  // `places`: from place (0, 0) on, with room around.
  void operator()(const float* places, const float* weights, float* to) const {
    const View& image = conv_.input_gradient;
    for (int64_t y = 0; y < std::min(conv_.stride_y, conv_.in_height); ++y) {
      const Axis down(y + conv_.pad_y, conv_.kernel_height, conv_.stride_y, conv_.dilation_y);
      const int64_t rows = divide_up(conv_.in_height - y, conv_.stride_y);
      for (int64_t x = 0; x < std::min(conv_.stride_x, conv_.in_width); ++x) {
        const Axis across(x + conv_.pad_x, conv_.kernel_width, conv_.stride_x, conv_.dilation_x);
        const int64_t columns = divide_up(conv_.in_width - x, conv_.stride_x);
        float* first = to + y * image.row + x * image.pixel;
        for (int64_t g = 0; g < groups_; ++g)
          cells(down, across, rows, columns, places + g * run_, weights + g * run_ * pitch_,
                first + g * channels_);
      }
    }
    if (groups_ > 1) clear_behind(to);
  }

 private:
  // The taps that reach the cells first, first + stride, ... of an axis, and the place where each
  // finds the first of them.
  struct Axis {
    int64_t count = 0, tap[255], place[255];
    Axis(int64_t first, int64_t kernel, int64_t stride, int64_t dilation) {
      for (int64_t k = 0; k < kernel; ++k) {
        if ((first - k * dilation) % stride != 0) continue;
        tap[count] = k;
        place[count++] = (first - k * dilation) / stride;
      }
    }
  };

  // A few rows at a time, so that taps that reach nothing but the room above or below are left out.
  void cells(const Axis& down, const Axis& across, int64_t rows, int64_t columns,
             const float* places, const float* weights, float* to) const {
    const int64_t step = tile_rows(columns);
    const int64_t lanes = conv_.depthwise() ? lanes_ : TILE_VECTORS * LANES;
    for (int64_t lane = 0; lane < lanes_; lane += lanes)
      for (int64_t r = 0; r < rows; r += step) {
        const int64_t end = std::min(rows, r + step);
        const Correlation job = correlation(down, across, r, end);
        const float* from = places + r * row_;
        float* cell = to + lane + r * job.output_row;
        if (conv_.depthwise())
          correlate_channels(job, end - r, columns, channels_, lanes_, from, weights, cell);
        else
          cover<Product>(job, end - r, columns, std::min(lanes_ - lane, lanes), weights + lane,
                         [&](int64_t y, int64_t x) {
                           return std::pair{from + y * job.input_row + x * job.input_step,
                                            cell + y * job.output_row + x * job.output_step};
                         });
      }
  }

  Correlation correlation(const Axis& down, const Axis& across, int64_t begin, int64_t end) const {
    const int64_t weights = conv_.depthwise() ? conv_.pixel() : groups_ * run_ * pitch_;
    int64_t count = 0;
    for (int64_t i = 0; i < down.count; ++i)
      for (int64_t j = 0; j < across.count; ++j)
        if (down.place[i] + end > 0 && down.place[i] + begin < conv_.height)
          taps_[count++] = {down.place[i] * row_ + across.place[j] * pixel_,
                            (down.tap[i] * conv_.kernel_width + across.tap[j]) * weights};
    const View& image = conv_.input_gradient;
    return {taps_, count, run_, pitch_, row_, pixel_, conv_.stride_y * image.row,
            conv_.stride_x * image.pixel};
  }

  void clear_behind(float* to) const {
    const View& image = conv_.input_gradient;
    const int64_t count = written(image, conv_.channels) - conv_.channels;
    for (int64_t y = 0; y < conv_.in_height; ++y)
      for (int64_t x = 0; x < conv_.in_width; ++x)
        std::fill_n(to + y * image.row + x * image.pixel + conv_.channels, count, 0.0f);
  }

  const ConvBackward& conv_;
  const int64_t pixel_, row_, run_, groups_, channels_, lanes_, pitch_;
  Tap* taps_;
};

}  // namespace striate
