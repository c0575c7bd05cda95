// Dense layers, forward: every output is a dot product along the features.
#include "dense.h"

#include <algorithm>

#include "families.h"

namespace striate {
namespace {

constexpr int SUMS = REGISTERS == 32 ? 16 : 12;  // of a tile, in registers
constexpr int64_t PART = REGISTERS == 32 ? 16 : 24;  // units: whole tiles of 4 samples and of vectors
constexpr int64_t SAMPLES = 8;                   // whose features share the first-level cache
constexpr int64_t FEATURES = 1024;               // of one pass, for the same reason
constexpr int64_t FEW = 4;  // samples, for which each weight is read once: in the order of memory

#if defined(__AVX512F__)
// Adds up each of 16 vectors; a vector with the 16 sums. (The forms with a mask of all lanes are
// the same instructions, without GCC's warning about its own header.)
STRIATE_INLINE Vec horizontal_sums(const Vec (&a)[16]) {
  constexpr __mmask16 ALL = 0xFFFF;
  Vec pairs[8], quads[4], eights[2];
  for (int i = 0; i < 8; ++i)
    pairs[i] = _mm512_maskz_unpacklo_ps(ALL, a[2 * i], a[2 * i + 1]) +
               _mm512_maskz_unpackhi_ps(ALL, a[2 * i], a[2 * i + 1]);
  for (int i = 0; i < 4; ++i)
    quads[i] = _mm512_maskz_shuffle_ps(ALL, pairs[2 * i], pairs[2 * i + 1], 0x44) +
               _mm512_maskz_shuffle_ps(ALL, pairs[2 * i], pairs[2 * i + 1], 0xEE);
  for (int i = 0; i < 2; ++i)
    eights[i] = _mm512_maskz_shuffle_f32x4(ALL, quads[2 * i], quads[2 * i + 1], 0x44) +
                _mm512_maskz_shuffle_f32x4(ALL, quads[2 * i], quads[2 * i + 1], 0xEE);
  return _mm512_maskz_shuffle_f32x4(ALL, eights[0], eights[1], 0x88) +
         _mm512_maskz_shuffle_f32x4(ALL, eights[0], eights[1], 0xDD);
}
#endif

template <int N>
STRIATE_INLINE void store_sums(float* to, const Vec (&a)[N]) {
#if defined(__AVX512F__)
  store(to, horizontal_sums(a));
#else
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) to[i] = sum(a[i]);
#endif
}

// Adds to sums[i * pitch + j] the product of x[i] and w[j], for N samples and as many units as
// there are registers for.
template <int N>
void tile(const float* const (&x)[N], const float* const (&w)[SUMS / N], int64_t features,
          float* sums, int64_t pitch) {
  constexpr int UNITS = SUMS / N;
  Vec a[SUMS];
#pragma GCC unroll 16  // as all loops over the sums: else the compiler keeps them in memory
  for (int i = 0; i < SUMS; ++i) a[i] = Vec{};
  const auto add = [&](const Vec (&v)[N], int64_t k) {
#pragma GCC unroll 16
    for (int j = 0; j < UNITS; ++j) {
      const Vec weight = load(w[j] + k);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) a[i * UNITS + j] = fma(v[i], weight, a[i * UNITS + j]);
    }
  };
  int64_t k = 0;
  for (; k + LANES <= features; k += LANES) {
    Vec v[N];
    for (int i = 0; i < N; ++i) v[i] = load(x[i] + k);
    add(v, k);
  }
  if (k < features) {  // what lies behind the features may be anything
    Vec v[N];
    for (int i = 0; i < N; ++i) v[i] = load_first(x[i] + k, features - k);
    add(v, k);
  }
  alignas(64) float out[SUMS];
  store_sums(out, a);
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < UNITS; ++j) sums[i * pitch + j] += out[i * UNITS + j];
}

// output = activation(weight * input + bias)
struct Dense : Kernel {
  View input;
  Int features = 1;
  View output;
  Int units = 1;
  Ref weight, bias;
  Int activation = DENSE_LINEAR;
  Real slope = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("features", features), v("output", output), v("units", units);
    v("weight", weight), v("bias", bias), v("activation", activation), v("slope", slope);
  }

  void check(const Check& c) const override {
    c.between("features", features, 1, MOST_FEATURES);
    c.between("units", units, 1, MOST_FEATURES);
    c.holds("input", input, 1, 1, features, c.batch());
    c.holds("output", output, 1, 1, units, c.batch());
    c.holds("weight", weight, units * weight_row() * 4);
    if (given(bias)) c.holds("bias", bias, round_up(units, GROUP) * 4);
    c.between("activation", activation, DENSE_LINEAR, DENSE_LEAKY);
  }

  void run(const Context& context, Range range) const override {
    compute(context, range.begin, range.end, 0, units);
  }

  int64_t scratch() const override { return SAMPLES * pitch(units) * 4; }

 protected:
  // Units [first, end) of the samples [begin, stop).
  void compute(const Context& context, int64_t begin, int64_t stop, int64_t first,
               int64_t end) const {
    float* sums = reinterpret_cast<float*>(context.scratch);
    const int64_t row = pitch(end - first);
    for (; begin < stop; begin += SAMPLES) {
      const int64_t count = std::min(SAMPLES, stop - begin);
      std::fill_n(sums, SAMPLES * row, 0.0f);
      const int64_t together = count <= FEW ? SUMS : end - first;
      for (int64_t u = first; u < end; u += together)
        for (int64_t from = 0; from < features; from += chunk()) {
          const int64_t width = std::min(chunk(), features - from);
          add_products({vectors(context, input, begin), context.at<float>(weight), weight_row(),
                        count, u, std::min(end, u + together), from, width, sums + u - first, row});
        }
      for (int64_t i = 0; i < count; ++i)
        finish(context, begin + i, sums + i * row, first, end);
    }
  }

  // Floats of a row of sums: room for a whole tile at its end too.
  static int64_t pitch(int64_t count) { return round_up(count, GROUP) + GROUP; }

 private:
  // Some features of some samples, and the units that they go into.
  struct Block {
    Vectors x;
    const float* weight;
    int64_t weight_row;
    int64_t samples;     // from 0
    int64_t first, end;  // units
    int64_t from, width;  // features
    float* sums;
    int64_t sums_row;
  };

  int64_t weight_row() const { return round_up(features, GROUP); }
  int64_t chunk() const {
    return round_up(divide_up(features, divide_up(features, FEATURES)), GROUP);
  }

  static void add_products(const Block& block) {
    const int64_t tiled = (block.samples + 1) / 4 * 4;  // 3 samples take a tile of 4
    add_tiles<4>(block, 0, tiled);
    if (block.samples - tiled >= 2) add_tiles<2>(block, tiled, block.samples);
    if (block.samples - tiled == 1) add_tiles<1>(block, tiled, block.samples);
  }

  // Tiles over the samples [begin, stop) and all units: the weights of a tile of units stay in the
  // first-level cache. Behind the last sample or unit, the last one is taken once more.
  template <int N>
  static void add_tiles(const Block& block, int64_t begin, int64_t stop) {
    constexpr int UNITS = SUMS / N;
    for (int64_t u = block.first; u < block.end; u += UNITS) {
      const float* w[UNITS];
      for (int j = 0; j < UNITS; ++j)
        w[j] = block.weight + std::min(u + j, block.end - 1) * block.weight_row + block.from;
      for (int64_t i = begin; i < stop; i += N) {
        const float* v[N];
        for (int k = 0; k < N; ++k) v[k] = block.x[std::min(i + k, block.samples - 1)] + block.from;
        tile<N>(v, w, block.width, block.sums + i * block.sums_row + u - block.first,
                block.sums_row);
      }
    }
  }

  void finish(const Context& context, int64_t sample, const float* sums, int64_t first,
              int64_t end) const {
    const Vec below = all(slope_below_zero(activation, slope));
    const int64_t stop = end == units ? written(output, units) : end;
    float* out = context.at(output, sample);
    for (int64_t u = first; u < stop; u += LANES) {
      Vec v = load(sums + u - first);
      if (given(bias)) v += load(context.at<float>(bias) + u);
      v = v > Vec{} ? v : v * below;
      store_first(out + u, keep_first(v, units - u), stop - u);
    }
  }
};

// The same, divided into groups of units instead of samples.
struct DenseParts final : Dense {
  int64_t parts(int64_t) const override { return divide_up(units, PART); }

  void run(const Context& context, Range range) const override {
    const int64_t end = std::min(units, range.end * PART);
    compute(context, 0, context.step.samples, std::min(end, range.begin * PART), end);
  }

  int64_t scratch() const override { return SAMPLES * pitch(PART) * 4; }
};

}  // namespace

Entries dense_kernels() {
  return {entry<Dense>("dense"), entry<DenseParts>("dense_parts")};
}

}  // namespace striate
