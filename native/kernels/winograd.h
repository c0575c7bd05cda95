// Winograd's minimal filtering F(m x m, r x r) with m + r = 7: convolutions of 3x3 and of 5x5 without
// stride over tiles of 6x6 cells that give 4x4 or 2x2 places each. Tiles and kernels are transformed
// to 36 positions, between which nothing is mixed: there the convolution is 36 products of matrices,
// with 36 multiplications per tile, input channel and output channel instead of 144 or 100.
//
// In one dimension the places are the coefficients of a product of polynomials, found from its values
// at five points and at infinity. The usual points, 0, +-1 and +-2, make rounding errors four times
// those of the direct sum. At 0, +-1/sqrt(2) and +-sqrt(2) they are as large as those, since no power
// of a point is far from 1, and the factors of the cells are those of M(x) = x (x^2 - 1/2) (x^2 - 2).
//
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "../plan.h"
#include "../vector.h"

namespace striate {

constexpr int SIDE = 6;  // of a tile
constexpr int64_t POSITIONS = SIDE * SIDE;
constexpr int places_for(int taps) { return SIDE + 1 - taps; }
// The columns of a product are taken in panels as wide as its register tile.
constexpr int PANEL = LANES == GROUP ? 2 * GROUP : GROUP;

// ---- the transforms, of one dimension -----------------------------------------------------------

constexpr float NEAR = 0.70710678f, FAR = 1.41421356f;  // the points, besides their negatives
constexpr float NEAR_SQUARE = 0.5f, FAR_SQUARE = 2;
constexpr float NEAR_SCALE = -2.0f / 3, FAR_SCALE = 1.0f / 6;  // 1 / M'(x) at the points

// A polynomial of N coefficients to its values: at 0, NEAR, -NEAR, FAR, -FAR, and infinity.
template <int N>
struct Values {
  static constexpr int FROM = N, TO = SIDE;
  static STRIATE_INLINE void map(const Vec* a, Vec* to) {
    pair(a, NEAR, NEAR_SQUARE, to + 1);
    pair(a, FAR, FAR_SQUARE, to + 3);
    to[0] = a[0], to[5] = a[N - 1];
  }

 private:
  static STRIATE_INLINE void pair(const Vec* a, float point, float square, Vec* to) {
    Vec even = a[(N - 1) / 2 * 2], odd = a[N / 2 * 2 - 1];
    for (int i = (N - 1) / 2 * 2 - 2; i >= 0; i -= 2) even = fma(all(square), even, a[i]);
    for (int i = N / 2 * 2 - 3; i >= 1; i -= 2) odd = fma(all(square), odd, a[i]);
    to[0] = fma(all(point), odd, even), to[1] = fma(all(-point), odd, even);
  }
};

// The transpose of Values.
template <int N>
struct Coefficients {
  static constexpr int FROM = SIDE, TO = N;
  static STRIATE_INLINE void map(const Vec* v, Vec* to) {
    const Vec even[2] = {v[1] + v[2], v[3] + v[4]};
    const Vec odd[2] = {all(NEAR) * (v[1] - v[2]), all(FAR) * (v[3] - v[4])};
    float near = 1, far = 1;
    for (int i = 0; i < N; ++i) {
      const Vec* part = i % 2 == 0 ? even : odd;
      to[i] = fma(all(far), part[1], all(near) * part[0]);
      if (i % 2 == 1) near *= NEAR_SQUARE, far *= FAR_SQUARE;
    }
    to[0] += v[0], to[N - 1] += v[5];
  }
};

// Six cells: M(x) / (x - point) for each point, and M(x), multiplied with them.
struct OfCells {
  static constexpr int FROM = SIDE, TO = SIDE;
  static STRIATE_INLINE void map(const Vec* d, Vec* to) {
    to[0] = fma(all(-2.5f), d[2], d[0] + d[4]);
    pair(d, NEAR, FAR_SQUARE, to + 1);
    pair(d, FAR, NEAR_SQUARE, to + 3);
    to[5] = fma(all(-2.5f), d[3], d[1] + d[5]);
  }

 private:
  static STRIATE_INLINE void pair(const Vec* d, float point, float other_square, Vec* to) {
    const Vec even = fma(all(-other_square), d[2], d[4]), odd = fma(all(-other_square), d[1], d[3]);
    to[0] = fma(all(point), odd, even), to[1] = fma(all(-point), odd, even);
  }
};

STRIATE_INLINE void scale_points(Vec* values) {
  for (int i : {1, 2}) values[i] *= all(NEAR_SCALE);
  for (int i : {3, 4}) values[i] *= all(FAR_SCALE);
}

// The taps of a kernel, and back: where the products are divided by M'(x).
template <int TAPS>
struct OfKernel {
  static constexpr int FROM = TAPS, TO = SIDE;
  static STRIATE_INLINE void map(const Vec* g, Vec* to) {
    Values<TAPS>::map(g, to);
    scale_points(to);
  }
};

template <int TAPS>
struct ToKernel {
  static constexpr int FROM = SIDE, TO = TAPS;
  static STRIATE_INLINE void map(const Vec* h, Vec* to) {
    Vec values[SIDE];
    std::copy_n(h, SIDE, values);
    scale_points(values);
    Coefficients<TAPS>::map(values, to);
  }
};

// Products to places, and the gradient of places back.
template <int TAPS>
using ToPlaces = Coefficients<places_for(TAPS)>;
template <int TAPS>
using OfPlaces = Values<places_for(TAPS)>;

// The values of one vector of channels of a tile, `row` floats from one row to the next.
template <class Float>
struct Square {
  Float* at;
  int64_t row, step;
};

// The transform in both dimensions. Never part of a loop: there the compiler would compute all the
// addresses beforehand, and keep them in memory.
template <class Map>
__attribute__((noinline)) void transform(Square<const float> from, Square<float> to) {
  Vec half[Map::FROM][Map::TO];
#pragma GCC unroll 6
  for (int r = 0; r < Map::FROM; ++r) {
    Vec row[Map::FROM];
#pragma GCC unroll 6
    for (int c = 0; c < Map::FROM; ++c) row[c] = load(from.at + r * from.row + c * from.step);
    Map::map(row, half[r]);
  }
#pragma GCC unroll 6
  for (int c = 0; c < Map::TO; ++c) {
    Vec column[Map::FROM], mapped[Map::TO];
#pragma GCC unroll 6
    for (int r = 0; r < Map::FROM; ++r) column[r] = half[r][c];
    Map::map(column, mapped);
#pragma GCC unroll 6
    for (int r = 0; r < Map::TO; ++r) store(to.at + r * to.row + c * to.step, mapped[r]);
  }
}

// A place for the values of a tile that is partly outside of its image.
struct Patch {
  alignas(64) float values[POSITIONS * LANES];
  Square<float> square() { return {values, SIDE * LANES, LANES}; }
  Square<const float> read() const { return {values, SIDE * LANES, LANES}; }
  float* cell(int64_t row, int64_t column) { return values + (row * SIDE + column) * LANES; }
};

// The positions of a vector, which lie `step` floats apart.
template <class Float>
STRIATE_INLINE Square<Float> positions_at(Float* first, int64_t step) {
  return {first, SIDE * step, step};
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

// The places of an image cut into tiles; the last ones may be partly outside. Passes are so large
// that a tile's positions, `floats` of them in all matrices, leave a part of the L2 cache to the
// kernel's.
struct Tiling {
  Tiling(int64_t height, int64_t width, int64_t side, int64_t floats)
      : side(side), rows(divide_up(height, side)), columns(divide_up(width, side)) {
    constexpr int64_t BYTES = L2_BYTES / 4 * 3, LEAST = 16;
    const int64_t tiles = std::max(LEAST, BYTES / (floats * static_cast<int64_t>(sizeof(float))));
    samples = std::max<int64_t>(1, tiles / (rows * columns));
    band = divide_up(rows, std::min(rows, divide_up(rows * columns, tiles)));
  }
  int64_t side;  // of a tile, in places
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
        for (int64_t x = 0; x < columns; ++x) body(i++, s, side * y, side * x);
  }
};

// The positions of the tiles of a pass, a matrix of tiles x channels each.
struct Positions {
  float* values;
  int64_t tile, step;  // floats from one tile, one position to the next

  // The distance of positions is no power of two, lest they fall on the same lines of the cache.
  Positions(float* values, int64_t tiles, int64_t channels)
      : values(values),
        tile(round_up(channels, GROUP)),
        step(floats(tiles, channels) / POSITIONS) {}
  // Those of one vector of channels of a tile.
  Square<float> square(int64_t number, int64_t channel) const {
    return positions_at(values + number * tile + channel, step);
  }
  Square<const float> read(int64_t number, int64_t channel) const {
    return positions_at<const float>(values + number * tile + channel, step);
  }
  static int64_t floats(int64_t tiles, int64_t channels) {
    return POSITIONS * (tiles * round_up(channels, GROUP) + GROUP);
  }
};

// Transforms the tiles of a pass. Cells that do not exist are read as their neighbours: they only
// count for places that do not exist either.
void transform_cells(const Tiling& tiling, const Pass& pass, const Cells& cells, int64_t sample,
                     int64_t channels, const Positions& to);

// Throws unless the kernel is 3x3 or 5x5 and the other numbers are 1.
void check_winograd(const Check& c, int64_t kernel_height, int64_t kernel_width,
                    std::initializer_list<int64_t> plain);

// Writes the places of a tile, of one vector of channels: those inside an image of height x width
// that is `room` floats wide there.
template <int TAPS>
STRIATE_INLINE void store_places(Square<const float> sums, Square<float> to, int64_t height,
                                 int64_t width, int64_t room) {
  constexpr int64_t PLACES = places_for(TAPS);
  if (height >= PLACES && width >= PLACES && room >= LANES) {
    transform<ToPlaces<TAPS>>(sums, to);
    return;
  }
  Patch patch;
  transform<ToPlaces<TAPS>>(sums, patch.square());
  for (int64_t i = 0; i < std::min(PLACES, height); ++i)
    for (int64_t j = 0; j < std::min(PLACES, width); ++j)
      store_first(to.at + i * to.row + j * to.step, load(patch.cell(i, j)), room);
}

// Floats of the positions of a kernel: a panel of filters after the other, in it 36 matrices.
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
