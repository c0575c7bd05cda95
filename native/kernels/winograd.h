// Winograd's minimal filtering F(2x2, 3x3): a 3x3 convolution of stride 1 over tiles of 4x4 cells
// that give 2x2 places each. Tiles and kernels are transformed to 16 positions, between which
// nothing is mixed: there the convolution is 16 products of matrices, with 16 multiplications per
// tile, input channel and output channel instead of 36.
//
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "../plan.h"
#include "../vector.h"

namespace striate {

constexpr int64_t POSITIONS = 16;
// The columns of a product are taken in panels as wide as its register tile.
constexpr int PANEL = LANES == GROUP ? 2 * GROUP : GROUP;

// ---- the transforms, of one dimension; B, G and A are the paper's -------------------------------

// B^T: four cells of the input.
struct OfInput {
  static constexpr int FROM = 4, TO = 4;
  static STRIATE_INLINE void map(const Vec* d, Vec* to) {
    to[0] = d[0] - d[2], to[1] = d[1] + d[2], to[2] = d[2] - d[1], to[3] = d[1] - d[3];
  }
};

// G: three taps of a kernel.
struct OfKernel {
  static constexpr int FROM = 3, TO = 4;
  static STRIATE_INLINE void map(const Vec* g, Vec* to) {
    const Vec outer = 0.5f * (g[0] + g[2]), middle = 0.5f * g[1];
    to[0] = g[0], to[1] = outer + middle, to[2] = outer - middle, to[3] = g[2];
  }
};

// A^T: back to two places.
struct ToPlaces {
  static constexpr int FROM = 4, TO = 2;
  static STRIATE_INLINE void map(const Vec* m, Vec* to) {
    to[0] = m[0] + m[1] + m[2], to[1] = m[1] - m[2] - m[3];
  }
};

// A: the gradient of two places; the transpose of ToPlaces.
struct OfPlaces {
  static constexpr int FROM = 2, TO = 4;
  static STRIATE_INLINE void map(const Vec* y, Vec* to) {
    to[0] = y[0], to[1] = y[0] + y[1], to[2] = y[0] - y[1], to[3] = -y[1];
  }
};

// G^T: the gradient of three taps; the transpose of OfKernel.
struct ToKernel {
  static constexpr int FROM = 4, TO = 3;
  static STRIATE_INLINE void map(const Vec* h, Vec* to) {
    const Vec plus = 0.5f * (h[1] + h[2]);
    to[0] = h[0] + plus, to[1] = 0.5f * (h[1] - h[2]), to[2] = plus + h[3];
  }
};

// The transform in both dimensions.
template <class Map>
STRIATE_INLINE void transform(const Vec (&from)[Map::FROM][Map::FROM],
                              Vec (&to)[Map::TO][Map::TO]) {
  Vec half[Map::FROM][Map::TO];
  for (int r = 0; r < Map::FROM; ++r) Map::map(from[r], half[r]);
  for (int c = 0; c < Map::TO; ++c) {
    Vec column[Map::FROM], mapped[Map::TO];
    for (int r = 0; r < Map::FROM; ++r) column[r] = half[r][c];
    Map::map(column, mapped);
    for (int r = 0; r < Map::TO; ++r) to[r][c] = mapped[r];
  }
}

// The 16 positions of one vector lie `step` floats apart.
STRIATE_INLINE void store_positions(float* to, int64_t step, const Vec (&values)[4][4]) {
  for (int p = 0; p < POSITIONS; ++p) store(to + p * step, values[p / 4][p % 4]);
}

STRIATE_INLINE void load_positions(const float* from, int64_t step, Vec (&values)[4][4]) {
  for (int p = 0; p < POSITIONS; ++p) values[p / 4][p % 4] = load(from + p * step);
}

// ---- products -----------------------------------------------------------------------------------

// out[i][j] (+)= sum over k of left[i][k] * right[k][j], for the columns j of one panel.
struct Product {
  const float* left;
  int64_t left_row, left_depth;  // from one i, one k to the next
  const float* right;
  int64_t right_depth;
  float* out;
  int64_t out_row;
  int64_t depth;  // number of k
};

template <int ROWS, int VECTORS, bool ADD>
void product_tile(const Product& product) {
  const Product p = product;  // which no store can change
  Vec sums[ROWS][VECTORS];
#pragma GCC unroll 32
  for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; ++v)
      sums[i][v] = ADD ? load(p.out + i * p.out_row + v * LANES) : Vec{};
  const float *left = p.left, *right = p.right;
#pragma GCC unroll 2
  for (int64_t k = 0; k < p.depth; ++k, left += p.left_depth, right += p.right_depth) {
    Vec columns[VECTORS];
    for (int v = 0; v < VECTORS; ++v) columns[v] = load(right + v * LANES);
#pragma GCC unroll 32
    for (int i = 0; i < ROWS; ++i) {
      const Vec x = all(left[i * p.left_row]);
      for (int v = 0; v < VECTORS; ++v) sums[i][v] = fma(x, columns[v], sums[i][v]);
    }
  }
#pragma GCC unroll 32
  for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; ++v) store(p.out + i * p.out_row + v * LANES, sums[i][v]);
}

template <int VECTORS, bool ADD, int... ROWS>
constexpr auto product_tiles(std::integer_sequence<int, ROWS...>) {
  return std::array<void (*)(const Product&), sizeof...(ROWS)>{
      product_tile<ROWS + 1, VECTORS, ADD>...};
}

// Tiles of nearly the same size, as large as the registers allow.
template <int VECTORS, bool ADD>
void product_rows(Product p, int64_t rows) {
  constexpr int MOST = (REGISTERS - 4) / VECTORS;
  static constexpr auto TILES =
      product_tiles<VECTORS, ADD>(std::make_integer_sequence<int, MOST>());
  for (int64_t tiles = divide_up(rows, MOST); tiles > 0; --tiles) {
    const int64_t now = divide_up(rows, tiles);
    TILES[static_cast<size_t>(now - 1)](p);
    p.left += now * p.left_row, p.out += now * p.out_row, rows -= now;
  }
}

// `columns`: PANEL, or GROUP where only that much is left.
template <bool ADD>
void multiply(const Product& p, int64_t rows, int64_t columns) {
  if (columns == PANEL)
    product_rows<PANEL / LANES, ADD>(p, rows);
  else
    product_rows<GROUP / LANES, ADD>(p, rows);
}

// ---- tiles --------------------------------------------------------------------------------------

// Images whose cells are read, one per sample.
struct Cells {
  const float* first;  // the cell of tap (0, 0) of place (0, 0)
  int64_t sample, row, pixel;  // floats from one to the next
  int64_t height, width;       // cells that may be read
};

// Some rows of tiles of some samples, so many that the kernel's positions are read for many tiles,
// so few that what is computed between stays in the cache.
struct Pass {
  int64_t sample, samples, row, rows;
};

// The places of an image cut into tiles of 2x2; the last ones may be partly outside.
struct Tiling {
  Tiling(int64_t height, int64_t width)
      : rows(divide_up(height, 2)), columns(divide_up(width, 2)) {
    constexpr int64_t TILES = 60;
    samples = std::max<int64_t>(1, TILES / (rows * columns));
    band = divide_up(rows, std::min(rows, divide_up(rows * columns, TILES)));
  }
  int64_t rows, columns;
  int64_t samples, band;  // of a pass, at most

  int64_t most() const { return samples * band * columns; }
  int64_t count(const Pass& pass) const { return pass.samples * pass.rows * columns; }

  template <class Body>
  void passes(int64_t begin, int64_t end, const Body& body) const {
    for (int64_t s = begin; s < end; s += samples)
      for (int64_t y = 0; y < rows; y += band)
        body(Pass{s, std::min(samples, end - s), y, std::min(band, rows - y)});
  }
  // body(number in the pass, sample, first place's row, first place's column)
  template <class Body>
  STRIATE_INLINE void each(const Pass& pass, const Body& body) const {
    int64_t i = 0;
    for (int64_t s = pass.sample; s < pass.sample + pass.samples; ++s)
      for (int64_t y = pass.row; y < pass.row + pass.rows; ++y)
        for (int64_t x = 0; x < columns; ++x) body(i++, s, 2 * y, 2 * x);
  }
};

// The 16 positions of the tiles of a pass, a matrix of tiles x channels each.
struct Positions {
  float* values;
  int64_t tile, step;  // floats from one tile, one position to the next

  // The distance of positions is no power of two, lest they fall on the same lines of the cache.
  Positions(float* values, int64_t tiles, int64_t channels)
      : values(values),
        tile(round_up(channels, GROUP)),
        step(floats(tiles, channels) / POSITIONS) {}
  static int64_t floats(int64_t tiles, int64_t channels) {
    return POSITIONS * (tiles * round_up(channels, GROUP) + GROUP);
  }
};

// Transforms the tiles of a pass. Cells that do not exist are read as their neighbours: they only
// count for places that do not exist either.
void transform_cells(const Tiling& tiling, const Pass& pass, const Cells& cells, int64_t sample,
                     int64_t channels, const Positions& to);

// The 2x2 places of a tile, of one vector of channels.
STRIATE_INLINE void places_of(const Positions& sums, int64_t tile, int64_t channel,
                              Vec (&places)[2][2]) {
  Vec values[4][4];
  load_positions(sums.values + tile * sums.tile + channel, sums.step, values);
  transform<ToPlaces>(values, places);
}

// Floats of the positions of a kernel: a panel of filters after the other, in it 16 matrices.
inline int64_t kernel_floats(int64_t channels, int64_t filters) {
  return POSITIONS * channels * round_up(filters, GROUP);
}

// Multiplies the tiles with a kernel, panel by panel, and gives each to
// body(positions of the panel, its first filter, its filters).
template <class Body>
void convolve(const Positions& from, int64_t tiles, int64_t channels, const float* kernel,
              int64_t filters, float* scratch, const Body& body) {
  for (int64_t f = 0; f < round_up(filters, GROUP); f += PANEL) {
    const int64_t columns = std::min<int64_t>(PANEL, round_up(filters, GROUP) - f);
    const Positions sums(scratch, tiles, columns);
    for (int64_t p = 0; p < POSITIONS; ++p)
      multiply<false>({from.values + p * from.step, from.tile, 1,
                       kernel + (f * POSITIONS + p * columns) * channels, columns,
                       sums.values + p * sums.step, sums.tile, channels},
                      tiles, columns);
    body(sums, f, columns);
  }
}

}  // namespace striate
