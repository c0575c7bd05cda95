#include "transpose.h"

namespace striate {
namespace {

// Of a square that is read and written at once: some whole lines of the cache in both matrices.
constexpr int64_t SIDE = 64;

void transpose_square(const float* from, int64_t from_row, int64_t rows, float* to, int64_t to_row,
                      int64_t columns) {
  for (int64_t c = 0; c < columns; c += LANES)
    for (int64_t r = 0; r < rows; r += LANES) {
      Vec block[LANES] = {};
      for (int i = 0; i < std::min<int64_t>(LANES, rows - r); ++i)
        block[i] = load_first(from + (r + i) * from_row + c, columns - c);
      transpose(block);
      for (int i = 0; i < std::min<int64_t>(LANES, columns - c); ++i)
        store_first(to + (c + i) * to_row + r, block[i], rows - r);
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

#pragma GCC visibility push(default)
// to[c][r] = from[r][c] for r < rows and c < columns; nothing else is read or written.
extern "C" void striate_transpose(const float* from, int64_t from_row, int64_t rows, float* to,
                                  int64_t to_row, int64_t columns) {
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
#pragma GCC visibility pop
