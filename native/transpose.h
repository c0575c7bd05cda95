// Matrices of floats with rows and columns exchanged.
#pragma once

#include <algorithm>

#include "vector.h"

#pragma GCC visibility push(default)
// to[c][r] = from[r][c] for r < rows and c < columns; nothing else is read or written.
extern "C" void striate_transpose(const float* from, int64_t from_row, int64_t rows, float* to,
                                  int64_t to_row, int64_t columns);
#pragma GCC visibility pop

namespace striate {

// Lane c of row r and lane r of row c change places.
STRIATE_INLINE void transpose(Vec (&rows)[LANES]) {
#if defined(__AVX512F__)
  const IntVec lane = lane_numbers();
  for (int step = LANES / 2; step > 0; step /= 2) {
    const IntVec upper = (lane & step) != 0;
    const IntVec first = upper ? lane + (LANES - step) : lane;
    const IntVec second = upper ? lane + LANES : lane + step;
    for (int r = 0; r < LANES; ++r) {
      if ((r & step) != 0) continue;
      const Vec a = rows[r], b = rows[r + step];
      rows[r] = _mm512_permutex2var_ps(a, bit_cast<__m512i>(first), b);
      rows[r + step] = _mm512_permutex2var_ps(a, bit_cast<__m512i>(second), b);
    }
  }
#elif defined(__AVX2__)
  Vec pairs[8], quads[8];  // column c of four rows, and column c + 4 in the upper half
  for (int r = 0; r < 8; r += 2) {
    pairs[r] = _mm256_unpacklo_ps(rows[r], rows[r + 1]);
    pairs[r + 1] = _mm256_unpackhi_ps(rows[r], rows[r + 1]);
  }
  for (int r = 0; r < 8; r += 4)
    for (int k = 0; k < 2; ++k) {
      quads[r + 2 * k] = _mm256_shuffle_ps(pairs[r + k], pairs[r + k + 2], 0x44);
      quads[r + 2 * k + 1] = _mm256_shuffle_ps(pairs[r + k], pairs[r + k + 2], 0xEE);
    }
  for (int c = 0; c < 4; ++c) {
    rows[c] = _mm256_permute2f128_ps(quads[c], quads[c + 4], 0x20);
    rows[c + 4] = _mm256_permute2f128_ps(quads[c], quads[c + 4], 0x31);
  }
#else
  for (int r = 0; r < LANES; ++r)
    for (int c = 0; c < r; ++c) {
      const float kept = rows[r][c];
      rows[r][c] = rows[c][r];
      rows[c][r] = kept;
    }
#endif
}

// to[c][r] = from[r][c] for c < columns and r < width; zero from row `rows` on.
inline void transpose_group(const float* from, int64_t from_row, int64_t rows, int64_t width,
                            float* to, int64_t to_row, int64_t columns) {
  for (int64_t first = 0; first < width; first += LANES)
    for (int64_t c = 0; c < columns; c += LANES) {
      Vec block[LANES];
      for (int r = 0; r < LANES; ++r)
        block[r] = first + r < rows ? load_first(from + (first + r) * from_row + c, columns - c)
                                    : Vec{};
      transpose(block);
      for (int r = 0; r < std::min<int64_t>(LANES, columns - c); ++r)
        store(to + (c + r) * to_row + first, block[r]);
    }
}

}  // namespace striate
