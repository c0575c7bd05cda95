#include "conv_depthwise.h"

namespace striate {
namespace {

// The numbers that the filters from `first` on read at one place.
STRIATE_INLINE Vec spread(const float* pixel, int64_t first, int64_t filters, int64_t multiplier) {
  const int64_t count = filters - first;
  if (multiplier == 1) return load_first(pixel + first, count);
  Vec v{};
  for (int64_t i = 0; i < LANES && i < count; ++i) v[i] = pixel[(first + i) / multiplier];
  return v;
}

}  // namespace

void depthwise_sums(const ConvForward& conv, const float* input, const float* weight, int64_t rows,
                    float* sums) {
  const int64_t pixel = conv.pixel(), multiplier = conv.filters / conv.channels;
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x < conv.width; ++x)
      for (int64_t c = 0; c < pixel; c += LANES) {
        const float* from = input + y * conv.stride_y * conv.input.row +
                            x * conv.stride_x * conv.input.pixel;
        Vec sum{};
        for (int64_t ky = 0; ky < conv.kernel_height; ++ky)
          for (int64_t kx = 0; kx < conv.kernel_width; ++kx) {
            const float* cell = from + ky * conv.dilation_y * conv.input.row +
                                kx * conv.dilation_x * conv.input.pixel;
            sum = fma(spread(cell, c, conv.filters, multiplier),
                      load(weight + (ky * conv.kernel_width + kx) * pixel + c), sum);
          }
        store(sums + (y * conv.width + x) * pixel + c, sum);
      }
}

void depthwise_weight_gradient(const ConvBackward& conv, const float* input, const float* places,
                               float* weight_gradient, bool add) {
  const int64_t pixel = conv.pixel(), multiplier = conv.filters / conv.channels;
  const int64_t row = conv.gradient_row();
  for (int64_t ky = 0; ky < conv.kernel_height; ++ky)
    for (int64_t kx = 0; kx < conv.kernel_width; ++kx)
      for (int64_t c = 0; c < pixel; c += LANES) {
        const float* cells = input + ky * conv.dilation_y * conv.input.row +
                             kx * conv.dilation_x * conv.input.pixel;
        Vec sum{};
        for (int64_t y = 0; y < conv.height; ++y)
          for (int64_t x = 0; x < conv.width; ++x) {
            const float* cell =
                cells + y * conv.stride_y * conv.input.row + x * conv.stride_x * conv.input.pixel;
            sum = fma(spread(cell, c, conv.filters, multiplier),
                      load(places + y * row + x * pixel + c), sum);
          }
        float* to = weight_gradient + (ky * conv.kernel_width + kx) * pixel + c;
        store(to, add ? load(to) + sum : sum);
      }
}

namespace {

// The gradient of the channels from `first` on, from that of their filters.
STRIATE_INLINE Vec gather(const float* filters, const float* weight, int64_t first,
                          int64_t channels, int64_t multiplier) {
  if (multiplier == 1) return load(filters + first) * load(weight + first);
  Vec v{};
  for (int64_t i = 0; i < LANES && first + i < channels; ++i)
    for (int64_t f = (first + i) * multiplier, m = 0; m < multiplier; ++m)
      v[i] += filters[f + m] * weight[f + m];
  return v;
}

}  // namespace

void depthwise_input_gradient(const ConvBackward& conv, const float* places, const float* weight,
                              float* input_gradient) {
  const int64_t pixel = conv.pixel(), multiplier = conv.filters / conv.channels;
  const int64_t row = conv.gradient_row(), last = written(conv.input_gradient, conv.channels);
  for (int64_t y = 0; y < conv.in_height; ++y)
    for (int64_t x = 0; x < conv.in_width; ++x)
      for (int64_t c = 0; c < conv.channels; c += LANES) {
        Vec sum{};
        for (int64_t ky = 0; ky < conv.kernel_height; ++ky)
          for (int64_t kx = 0; kx < conv.kernel_width; ++kx) {
            const int64_t down = y + conv.pad_y - ky * conv.dilation_y;
            const int64_t across = x + conv.pad_x - kx * conv.dilation_x;
            if (down % conv.stride_y != 0 || across % conv.stride_x != 0) continue;
            const float* place = places + down / conv.stride_y * row +
                                 across / conv.stride_x * pixel;
            sum += gather(place, weight + (ky * conv.kernel_width + kx) * pixel, c, conv.channels,
                          multiplier);
          }
        float* cell = input_gradient + y * conv.input_gradient.row + x * conv.input_gradient.pixel;
        store_first(cell + c, sum, last - c);
      }
}

}  // namespace striate
