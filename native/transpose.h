// Matrices of floats that are copied, also with rows and columns exchanged.
#pragma once

#include <algorithm>

#include "vector.h"

#pragma GCC visibility push(default)
// to[c][r] = from[r][c] for r < rows and c < columns; nothing else is read or written.
extern "C" void striate_transpose(const float* from, int64_t from_row, int64_t rows, float* to,
                                  int64_t to_row, int64_t columns);

// `count` matrices of `rows` x `columns`, each `step` floats behind the one before it. Matrix k is
// copied: to[r][c] = from[r][c], or, exchanged, to[c][r] = from[r][c]. Rows and steps may go back.
extern "C" {
struct striate_block {
  const float* from;
  int64_t from_row, from_step;
  float* to;
  int64_t to_row, to_step;
  int64_t rows, columns, count, exchanged;
};
void striate_move(const striate_block* blocks, int64_t blocks_count);
}
#pragma GCC visibility pop

namespace striate {

// Copies one of a block's matrices.
void move_matrix(const striate_block& block, int64_t number);

#if defined(__AVX512F__)
// All lanes: with a mask, the instructions are the same, without GCC's warning about its own header.
constexpr __mmask16 EVERY = 0xFFFF;
#endif

// Lane c of row r and lane r of row c change places. Loops must be unrolled, or the compiler keeps
// the block in memory.
STRIATE_INLINE void transpose(Vec (&rows)[LANES]) {
#if defined(__AVX512F__)
  Vec pairs[16], quads[16];  // column c + 4 * i of rows 4 * q to 4 * q + 3 is part i of quads[4 * q + c]
#pragma GCC unroll 8
  for (int r = 0; r < 16; r += 2) {
    pairs[r] = _mm512_maskz_unpacklo_ps(EVERY, rows[r], rows[r + 1]);
    pairs[r + 1] = _mm512_maskz_unpackhi_ps(EVERY, rows[r], rows[r + 1]);
  }
#pragma GCC unroll 4
  for (int r = 0; r < 16; r += 4) {
    quads[r] = _mm512_maskz_shuffle_ps(EVERY, pairs[r], pairs[r + 2], 0x44);
    quads[r + 1] = _mm512_maskz_shuffle_ps(EVERY, pairs[r], pairs[r + 2], 0xEE);
    quads[r + 2] = _mm512_maskz_shuffle_ps(EVERY, pairs[r + 1], pairs[r + 3], 0x44);
    quads[r + 3] = _mm512_maskz_shuffle_ps(EVERY, pairs[r + 1], pairs[r + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    Vec even[2], odd[2];  // parts 0 and 2, and 1 and 3, of the upper and of the lower 8 rows
    for (int h = 0; h < 2; ++h) {
      const Vec a = quads[8 * h + c], b = quads[8 * h + 4 + c];
      even[h] = _mm512_maskz_shuffle_f32x4(EVERY, a, b, 0x88);
      odd[h] = _mm512_maskz_shuffle_f32x4(EVERY, a, b, 0xDD);
    }
    rows[c] = _mm512_maskz_shuffle_f32x4(EVERY, even[0], even[1], 0x88);
    rows[c + 4] = _mm512_maskz_shuffle_f32x4(EVERY, odd[0], odd[1], 0x88);
    rows[c + 8] = _mm512_maskz_shuffle_f32x4(EVERY, even[0], even[1], 0xDD);
    rows[c + 12] = _mm512_maskz_shuffle_f32x4(EVERY, odd[0], odd[1], 0xDD);
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
