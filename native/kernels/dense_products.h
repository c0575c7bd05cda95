// Products of matrices in tiles that stay in registers, for the gradients of dense layers.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "../vector.h"

namespace striate {

// Sums of a tile, in registers beside a row of vectors and one number spread over a vector.
constexpr int TILE_VECTORS = REGISTERS == 32 ? 4 : 2;
constexpr int TILE_ROWS = REGISTERS == 32 ? 4 : 6;

// A matrix of numbers: a(row, step) lies at data + row * row_stride + step * step_stride.
struct Matrix {
  const float* data;
  int64_t row_stride, step_stride;
};

// to[r][v] = sum over steps of a(r, step) * b[step][v], added to what is there if `add`. Every loop
// over the sums must be unrolled, or the compiler keeps them in memory.
template <int ROWS, int VECTORS>
void product_tile(const Matrix& a, const float* b, int64_t b_row, int64_t steps, float* to,
                  int64_t to_row, bool add) {
  constexpr int COUNT = ROWS * VECTORS;
  Vec sums[COUNT];
#pragma GCC unroll 16
  for (int i = 0; i < COUNT; ++i) sums[i] = Vec{};
  const float* numbers = a.data;
  const int64_t row = a.row_stride, step = a.step_stride;
  for (int64_t s = 0; s < steps; ++s, numbers += step, b += b_row) {
    Vec v[VECTORS];
#pragma GCC unroll 4
    for (int j = 0; j < VECTORS; ++j) v[j] = load(b + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i) {
      const Vec number = all(numbers[i * row]);
#pragma GCC unroll 4
      for (int j = 0; j < VECTORS; ++j)
        sums[i * VECTORS + j] = fma(number, v[j], sums[i * VECTORS + j]);
    }
  }
  const auto at = [&](int i) { return to + i / VECTORS * to_row + i % VECTORS * LANES; };
  if (add) {
#pragma GCC unroll 16
    for (int i = 0; i < COUNT; ++i) sums[i] += load(at(i));
  }
#pragma GCC unroll 16
  for (int i = 0; i < COUNT; ++i) store(at(i), sums[i]);
}

template <int VECTORS, int... ROWS>
constexpr auto product_tiles(std::integer_sequence<int, ROWS...>) {
  using Tile = void (*)(const Matrix&, const float*, int64_t, int64_t, float*, int64_t, bool);
  return std::array<Tile, sizeof...(ROWS)>{product_tile<ROWS + 1, VECTORS>...};
}

// The same for any number of rows, in tiles of nearly the same size.
template <int VECTORS>
void rows_of_tiles(Matrix a, int64_t rows, const float* b, int64_t b_row, int64_t steps, float* to,
                   int64_t to_row, bool add) {
  static constexpr auto TILES =
      product_tiles<VECTORS>(std::make_integer_sequence<int, TILE_ROWS>());
  for (int64_t tiles = divide_up(rows, TILE_ROWS); tiles > 0; --tiles) {
    const int64_t now = divide_up(rows, tiles);
    TILES[static_cast<size_t>(now - 1)](a, b, b_row, steps, to, to_row, add);
    a.data += now * a.row_stride, to += now * to_row, rows -= now;
  }
}

inline void products(const Matrix& a, int64_t rows, const float* b, int64_t b_row, int64_t steps,
              int64_t width, float* to, int64_t to_row, bool add) {
  for (int64_t vectors; (vectors = std::min<int64_t>(width / LANES, TILE_VECTORS)) > 0;) {
    switch (vectors) {
      case 1: rows_of_tiles<1>(a, rows, b, b_row, steps, to, to_row, add); break;
      case 2: rows_of_tiles<2>(a, rows, b, b_row, steps, to, to_row, add); break;
      case 3: rows_of_tiles<3>(a, rows, b, b_row, steps, to, to_row, add); break;
      default: rows_of_tiles<TILE_VECTORS>(a, rows, b, b_row, steps, to, to_row, add);
    }
    const int64_t done = vectors * LANES;
    width -= done, b += done, to += done;
  }
}

}  // namespace striate
