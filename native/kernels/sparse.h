// Sums of few products: where most gradients are zero, only the others are visited.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "../transpose.h"
#include "../vector.h"

namespace striate {

#if defined(__AVX2__) && !defined(__AVX512F__)
// For each set of lanes, as bits: the lanes in it, one per byte.
constexpr std::array<uint64_t, 256> LANES_OF_SET = [] {
  std::array<uint64_t, 256> table{};
  for (uint64_t set = 0; set < 256; ++set)
    for (uint64_t lane = 0, shift = 0; lane < 8; ++lane)
      if ((set >> lane & 1) != 0) table[set] |= lane << shift, shift += 8;
  return table;
}();
#endif

// Appends the chosen lanes to a list and returns their number; up to LANES behind the list's end
// are overwritten.
STRIATE_INLINE int64_t append(IntVec chosen, IntVec offsets, Vec values, int32_t* to_offsets,
                              float* to_values) {
#if defined(__AVX512F__)
  const __mmask16 mask = _mm512_movepi32_mask(bit_cast<__m512i>(chosen));
  _mm512_storeu_si512(to_offsets, _mm512_maskz_compress_epi32(mask, bit_cast<__m512i>(offsets)));
  _mm512_storeu_ps(to_values, _mm512_maskz_compress_ps(mask, values));
  return __builtin_popcount(mask);
#elif defined(__AVX2__)
  const auto set = static_cast<unsigned>(_mm256_movemask_ps(bit_cast<__m256>(chosen)));
  const __m128i bytes = _mm_cvtsi64_si128(static_cast<int64_t>(LANES_OF_SET[set]));
  const __m256i lanes = _mm256_cvtepu8_epi32(bytes);
  const __m256i kept = _mm256_permutevar8x32_epi32(bit_cast<__m256i>(offsets), lanes);
  std::memcpy(to_offsets, &kept, sizeof kept);
  store(to_values, _mm256_permutevar8x32_ps(values, lanes));
  return __builtin_popcount(set);
#else
  int64_t count = 0;
  for (int lane = 0; lane < LANES; ++lane) {
    to_offsets[count] = offsets[lane];
    to_values[count] = values[lane];
    count -= chosen[lane];
  }
  return count;
#endif
}

// Gradients that are not zero: their values, and where what they are multiplied with begins.
struct Sparse {
  int32_t* offsets;
  float* values;
  int64_t count;
};

// out[r][k] += sum over the list of value * from[offset + r * row + k]
struct SparseSum {
  Sparse list;
  const float* from;
  int64_t row;
  float* out;
  int64_t out_row;
};

// The list is not empty. Every loop over sums must be unrolled, and the one over the list begin
// without a question, or the compiler keeps sums in memory.
template <int ROWS, int VECTORS>
void sparse_tile(const SparseSum& sum) {
  constexpr int COUNT = ROWS * VECTORS;
  const SparseSum s = sum;  // which no store can change
  const auto out = [&](int i) { return s.out + i / VECTORS * s.out_row + i % VECTORS * LANES; };
  Vec sums[COUNT];
#pragma GCC unroll 32
  for (int i = 0; i < COUNT; ++i) sums[i] = load(out(i));
  const float* rows[ROWS];
  for (int r = 0; r < ROWS; ++r) rows[r] = s.from + r * s.row;
  const Sparse list = s.list;
  int64_t n = 0;
  do {
    const int64_t offset = list.offsets[n];
    const Vec value = all(list.values[n]);
#pragma GCC unroll 32
    for (int i = 0; i < COUNT; ++i)
      sums[i] = fma(value, load(rows[i / VECTORS] + offset + i % VECTORS * LANES), sums[i]);
  } while (++n < list.count);
#pragma GCC unroll 32
  for (int i = 0; i < COUNT; ++i) store(out(i), sums[i]);
}

// The gradients of max-pooled places, for one vector of filters: in each window the place that the
// index names has the gradient, all others have none.
struct Windows {
  const float* gradient;
  const uint8_t* index;
  int64_t filters;  // that are real, of this vector
  int64_t gradient_row, gradient_pixel, index_row, index_pixel;
  int64_t rows, columns;  // of windows
  int64_t height, width, stride_y, stride_x;
};

// out[r][k] += sum over all places of their gradients * from[place + r * row + k]
struct MaskedSum {
  Windows windows;
  float scale;
  const float* from;
  int64_t row, pixel;
  float* out;
  int64_t out_row, out_step;
};

template <int ROWS, int LENGTH>
void masked_tile(const MaskedSum& sum) {
  constexpr int COUNT = ROWS * LENGTH;
  const MaskedSum s = sum;
  const Windows& w = s.windows;
  const auto out = [&](int i) { return s.out + i / LENGTH * s.out_row + i % LENGTH * s.out_step; };
  Vec sums[COUNT];
#pragma GCC unroll 32
  for (int i = 0; i < COUNT; ++i) sums[i] = load(out(i));
  for (int64_t y = 0; y < w.rows; ++y)
    for (int64_t x = 0; x < w.columns; ++x) {
      const Vec gradient =
          load_first(w.gradient + y * w.gradient_row + x * w.gradient_pixel, w.filters) *
          all(s.scale);
      const IntVec index = load_index(w.index + y * w.index_row + x * w.index_pixel);
      const float* corner = s.from + y * w.stride_y * s.row + x * w.stride_x * s.pixel;
      for (int32_t place = 0, i = 0; i < w.height; ++i)
        for (int32_t j = 0; j < w.width; ++j, ++place) {
          const Vec mine = index == all(place) ? gradient : Vec{};
          const float* from = corner + i * s.row + j * s.pixel;
#pragma GCC unroll 32
          for (int k = 0; k < COUNT; ++k)
            sums[k] = fma(mine, all(from[k / LENGTH * s.row + k % LENGTH]), sums[k]);
        }
    }
#pragma GCC unroll 32
  for (int i = 0; i < COUNT; ++i) store(out(i), sums[i]);
}

// Both sums are made in register tiles of up to 3 rows: those of a whole 3x3 kernel at once.
constexpr int TILE_ROWS = 3;
constexpr int TILE_LENGTH = (REGISTERS - 4) / TILE_ROWS;

template <int ROWS, int... LENGTHS>
constexpr auto sparse_tiles(std::integer_sequence<int, LENGTHS...>) {
  return std::array<void (*)(const SparseSum&), sizeof...(LENGTHS)>{
      sparse_tile<ROWS, LENGTHS + 1>...};
}

template <int ROWS, int... LENGTHS>
constexpr auto masked_tiles(std::integer_sequence<int, LENGTHS...>) {
  return std::array<void (*)(const MaskedSum&), sizeof...(LENGTHS)>{
      masked_tile<ROWS, LENGTHS + 1>...};
}

// body(first row, rows, first column, columns) for the tiles of rows x length.
template <class Body>
STRIATE_INLINE void each_tile(int64_t rows, int64_t length, const Body& body) {
  if (rows <= TILE_ROWS && length <= TILE_LENGTH) {
    body(0, rows, 0, length);
    return;
  }
  const int64_t parts = divide_up(length, TILE_LENGTH);
  for (int64_t r = 0; r < rows; r += TILE_ROWS)
    for (int64_t begin = 0, part = 0; part < parts; ++part) {
      const int64_t count = divide_up(length - begin, parts - part);
      body(r, std::min<int64_t>(TILE_ROWS, rows - r), begin, count);
      begin += count;
    }
}

// Adds many such sums, all of rows x vectors: `each(visit)` calls visit(SparseSum) for each of them.
// A tile is made for all of them before the next one, so that what it reads stays in the L1 cache.
template <class Each>
void add_sparse(int64_t rows, int64_t vectors, const Each& each) {
  using Lengths = std::make_integer_sequence<int, TILE_LENGTH>;
  static constexpr std::array TILES{sparse_tiles<1>(Lengths()), sparse_tiles<2>(Lengths()),
                                    sparse_tiles<3>(Lengths())};
  each_tile(rows, vectors, [&](int64_t row, int64_t count, int64_t vector, int64_t length) {
    const auto tile = TILES[static_cast<size_t>(count - 1)][static_cast<size_t>(length - 1)];
    each([&](SparseSum sum) {
      sum.from += row * sum.row + vector * LANES;
      sum.out += row * sum.out_row + vector * LANES;
      tile(sum);
    });
  });
}

inline void add_masked(MaskedSum sum, int64_t rows, int64_t length) {
  using Lengths = std::make_integer_sequence<int, TILE_LENGTH>;
  static constexpr std::array TILES{masked_tiles<1>(Lengths()), masked_tiles<2>(Lengths()),
                                    masked_tiles<3>(Lengths())};
  const float* from = sum.from;
  float* out = sum.out;
  each_tile(rows, length, [&](int64_t row, int64_t count, int64_t begin, int64_t columns) {
    sum.from = from + row * sum.row + begin;
    sum.out = out + row * sum.out_row + begin * sum.out_step;
    TILES[static_cast<size_t>(count - 1)][static_cast<size_t>(columns - 1)](sum);
  });
}

}  // namespace striate
