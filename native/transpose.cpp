#include "transpose.h"

namespace striate {
namespace {

// Rows that are read before the next columns are: their lines are still cached where columns begin in
// the middle of a line.
constexpr int64_t STRIP = 256;
constexpr int64_t AHEAD = 4;  // blocks between the one that is asked for and the one that is read

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

// The blocks of a matrix in order, row by row and then columns by columns. The last block of each
// ends where the matrix does: what it has in common with the one before it is written twice.
struct Blocks {
  int64_t rows, columns;
  int64_t r = 0, c = 0;

  bool left() const { return c < columns; }
  int64_t row() const { return std::min(r, rows - LANES); }
  int64_t column() const { return std::min(c, columns - LANES); }
  void next() {
    r += LANES;
    if (r >= rows) r = 0, c += LANES;
  }
};

// Asks for the lines of a block that is read and written soon: no processor foresees rows this far
// apart.
STRIATE_INLINE void prefetch_block(const float* from, int64_t from_row, const float* to,
                                   int64_t to_row) {
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) {
    __builtin_prefetch(from + i * from_row);
    __builtin_prefetch(to + i * to_row, 1);
  }
}

void transpose_strip(const float* from, int64_t from_row, int64_t rows, float* to, int64_t to_row,
                     int64_t columns) {
  if (std::min(rows, columns) < LANES) {
    for (int64_t c = 0; c < columns; c += LANES)
      for (int64_t r = 0; r < rows; r += LANES)
        transpose_part(from + r * from_row + c, from_row, rows - r, to + c * to_row + r, to_row,
                       columns - c);
    return;
  }
  Blocks now{rows, columns}, ahead = now;
  for (int64_t i = 0; i < AHEAD; ++i) ahead.next();
  for (; now.left(); now.next(), ahead.next()) {
    if (ahead.left())
      prefetch_block(from + ahead.row() * from_row + ahead.column(), from_row,
                     to + ahead.column() * to_row + ahead.row(), to_row);
    transpose_whole(from + now.row() * from_row + now.column(), from_row,
                    to + now.column() * to_row + now.row(), to_row);
  }
}

}  // namespace
}  // namespace striate

void striate_transpose(const float* from, int64_t from_row, int64_t rows, float* to, int64_t to_row,
                       int64_t columns) {
  using namespace striate;
  for (int64_t r = 0; r < rows; r += STRIP)
    transpose_strip(from + r * from_row, from_row, std::min(STRIP, rows - r), to + r, to_row,
                    columns);
}

void striate::move_matrix(const striate_block& block, int64_t number) {
  const float* from = block.from + number * block.from_step;
  float* to = block.to + number * block.to_step;
  if (block.exchanged != 0)
    striate_transpose(from, block.from_row, block.rows, to, block.to_row, block.columns);
  else
    for (int64_t r = 0; r < block.rows; ++r)
      std::copy_n(from + r * block.from_row, block.columns, to + r * block.to_row);
}

void striate_move(const striate_block* blocks, int64_t blocks_count) {
  for (const striate_block* one = blocks; one != blocks + blocks_count; ++one)
    for (int64_t k = 0; k < one->count; ++k) striate::move_matrix(*one, k);
}
