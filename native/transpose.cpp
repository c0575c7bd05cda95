#include "transpose.h"

namespace striate {
namespace {

// Of a square that is read and written at once: some whole lines of the cache in both matrices.
constexpr int64_t SIDE = 64;

// A block of LANES x LANES that is all there: in registers.
STRIATE_INLINE void transpose_whole(const float* from, int64_t from_row, float* to,
                                    int64_t to_row) {
  Vec block[LANES];
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) block[i] = load(from + i * from_row);
  transpose(block);
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) store(to + i * to_row, block[i]);
}

void transpose_part(const float* from, int64_t from_row, int64_t rows, float* to, int64_t to_row,
                    int64_t columns) {
  Vec block[LANES] = {};
  for (int i = 0; i < std::min<int64_t>(LANES, rows); ++i)
    block[i] = load_first(from + i * from_row, columns);
  transpose(block);
  for (int i = 0; i < std::min<int64_t>(LANES, columns); ++i)
    store_first(to + i * to_row, block[i], rows);
}

void transpose_square(const float* from, int64_t from_row, int64_t rows, float* to, int64_t to_row,
                      int64_t columns) {
  for (int64_t c = 0; c < columns; c += LANES)
    for (int64_t r = 0; r < rows; r += LANES) {
      const float* at = from + r * from_row + c;
      float* there = to + c * to_row + r;
      if (rows - r >= LANES && columns - c >= LANES)
        transpose_whole(at, from_row, there, to_row);
      else
        transpose_part(at, from_row, rows - r, there, to_row, columns - c);
    }
}

// Asks for the lines of the square that is read next: no processor foresees rows this far apart.
void prefetch_square(const float* at, int64_t row, int64_t rows, int64_t columns) {
  constexpr int64_t LINE = 16;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; c += LINE) __builtin_prefetch(at + r * row + c);
}

}  // namespace
}  // namespace striate

void striate_transpose(const float* from, int64_t from_row, int64_t rows, float* to, int64_t to_row,
                       int64_t columns) {
  using namespace striate;
  for (int64_t c = 0; c < columns; c += SIDE) {
    const int64_t width = std::min(SIDE, columns - c);
    for (int64_t r = 0; r < rows; r += SIDE) {
      const int64_t height = std::min(SIDE, rows - r), next = r + height;
      prefetch_square(from + next * from_row + c, from_row, std::min(SIDE, rows - next), width);
      transpose_square(from + r * from_row + c, from_row, height, to + c * to_row + r, to_row,
                       width);
    }
  }
}
