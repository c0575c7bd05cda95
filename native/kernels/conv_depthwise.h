// Depthwise convolution: every channel has one filter of its own, and all vectors hold channels.
// The weights are [tap][channels rounded up to 16].
#pragma once

#include "conv.h"

namespace striate {

// The sums over taps for rows x columns of places; `run` and `weight_pitch` of the job have no
// meaning here. Of each place `written` channels are stored, zeros behind the first `channels`.
void correlate_channels(const Correlation& job, int64_t rows, int64_t columns, int64_t channels,
                        int64_t written, const float* input, const float* weight, float* output);

// The most taps that share registers.
constexpr int CHANNEL_TAPS = 9;

// The sums over places for each of `count` <= CHANNEL_TAPS taps, which say where they begin in the
// input and the output.
void channel_moments(const Moments& job, const Tap* taps, int64_t count, int64_t channels,
                     const float* input, const float* gradient, float* output);

}  // namespace striate
