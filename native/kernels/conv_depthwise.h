// Depthwise convolution: each channel has its own filters, filter f reads channel
// f / (filters / channels). The weights are [tap][filters rounded up to 16].
#pragma once

#include "conv_backward.h"
#include "epilogue.h"

namespace striate {

void depthwise_sums(const ConvForward& conv, const float* input, const float* weight, int64_t rows,
                    float* sums);

// `places`: the gradient of the sums from place (0, 0) on, in rows of gradient_row().
void depthwise_weight_gradient(const ConvBackward& conv, const float* input, const float* places,
                               float* weight_gradient, bool add);
void depthwise_input_gradient(const ConvBackward& conv, const float* places, const float* weight,
                              float* input_gradient);

}  // namespace striate
