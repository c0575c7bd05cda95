// Tiles whose vectors hold the input's channels: nothing is spread over a vector.
#include "conv_depthwise.h"

namespace striate {
namespace {

constexpr int PLACES = 8;  // of a row, with their sums in registers

// Behind the last channel the vectors read what may be anything; zeros are stored there.
template <int COUNT>
void tile_of_places(const Correlation& job, const float* input, const float* weight, float* output,
                    int64_t channels, int64_t written) {
  Vec sums[COUNT];
#pragma GCC unroll 8
  for (int p = 0; p < COUNT; ++p) sums[p] = Vec{};
  for (const Tap *tap = job.taps, *end = tap + job.count; tap != end; ++tap) {
    const Vec w = load(weight + tap->weight);
    const float* x = input + tap->input;
#pragma GCC unroll 8
    for (int p = 0; p < COUNT; ++p) sums[p] = fma(load(x + p * job.input_step), w, sums[p]);
  }
#pragma GCC unroll 8
  for (int p = 0; p < COUNT; ++p)
    store_first(output + p * job.output_step, keep_first(sums[p], channels), written);
}

template <int COUNT>
void tile_of_taps(const Moments& job, const Tap* taps, const float* input, const float* gradient,
                  float* output, int64_t channels) {
  Vec sums[COUNT];
#pragma GCC unroll 9
  for (int t = 0; t < COUNT; ++t) sums[t] = Vec{};
  for (int64_t y = 0; y < job.height; ++y) {
    const float* x = input + y * job.input_row;
    const float* g = gradient + y * job.gradient_row;
    for (int64_t i = 0; i < job.width; ++i, x += job.input_step, g += job.gradient_step) {
      const Vec row = load(g);
#pragma GCC unroll 9
      for (int t = 0; t < COUNT; ++t) sums[t] = fma(load(x + taps[t].input), row, sums[t]);
    }
  }
#pragma GCC unroll 9
  for (int t = 0; t < COUNT; ++t) {
    float* to = output + taps[t].weight;
    const Vec sum = keep_first(sums[t], channels);
    store(to, job.add ? load(to) + sum : sum);
  }
}

template <int... COUNT>
constexpr auto tiles_of_places(std::integer_sequence<int, COUNT...>) {
  return std::array{tile_of_places<COUNT + 1>...};
}

template <int... COUNT>
constexpr auto tiles_of_taps(std::integer_sequence<int, COUNT...>) {
  return std::array{tile_of_taps<COUNT + 1>...};
}

}  // namespace

void correlate_channels(const Correlation& job, int64_t rows, int64_t columns, int64_t channels,
                        int64_t written, const float* input, const float* weight, float* output) {
  static constexpr auto tiles = tiles_of_places(std::make_integer_sequence<int, PLACES>());
  const Split across(columns, PLACES);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < written; c += LANES)
      for (int64_t j = 0, x = 0; j < across.parts; x += across[j++])
        tiles[static_cast<size_t>(across[j] - 1)](
            job, input + r * job.input_row + x * job.input_step + c, weight + c,
            output + r * job.output_row + x * job.output_step + c, channels - c, written - c);
}

void channel_moments(const Moments& job, const Tap* taps, int64_t count, int64_t channels,
                     const float* input, const float* gradient, float* output) {
  static constexpr auto tiles = tiles_of_taps(std::make_integer_sequence<int, CHANNEL_TAPS>());
  for (int64_t c = 0; c < round_up(channels, GROUP); c += LANES)
    tiles[static_cast<size_t>(count - 1)](job, taps, input + c, gradient + c, output + c,
                                          channels - c);
}

}  // namespace striate
