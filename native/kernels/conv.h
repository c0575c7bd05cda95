// Sums of products in register tiles: the core of every direct convolution, of its input gradient
// (a correlation too) and of its weight gradient.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "../vector.h"

namespace striate {

// A tile holds rows x columns x vectors sums in registers, beside the vectors of weights and one
// number that is spread over a vector.
constexpr int TILE_ROWS = 5;
constexpr int TILE_VECTORS = 2;
constexpr int TILE_CELLS = (REGISTERS - TILE_VECTORS - 1) / TILE_VECTORS;
constexpr bool tile_exists(int rows, int columns) { return rows * columns <= TILE_CELLS; }

// Lengths of nearly equal parts, none longer than `most`.
struct Split {
  int64_t parts, length, longer;  // the first `longer` parts have one more than `length`
  Split(int64_t whole, int64_t most)
      : parts(divide_up(whole, most)), length(whole / parts), longer(whole % parts) {}
  int64_t operator[](int64_t part) const { return length + (part < longer ? 1 : 0); }
};

// Rows of a tile for so many columns.
inline int64_t tile_rows(int64_t columns) {
  const int64_t widest = divide_up(columns, divide_up(columns, TILE_CELLS));
  return std::min<int64_t>(TILE_ROWS, TILE_CELLS / widest);
}

// One product of the sum: `run` numbers from `input` with `run` rows of weights from `weight`,
// both counted in floats from where the sum begins.
struct Tap {
  int64_t input, weight;
};

// The sums over taps, for rows x columns of places.
struct Correlation {
  const Tap* taps;
  int64_t count, run;
  int64_t weight_pitch;             // from one row of weights to the next
  int64_t input_row, input_step;    // from one place to the next
  int64_t output_row, output_step;
};

// Sums over places, for rows x columns of cells of the kernel.
struct Moments {
  int64_t height, width;            // places
  int64_t input_row, input_step;    // from one place to the next
  int64_t input_cell_row;           // from one row of cells to the next; columns are neighbours
  int64_t gradient_row, gradient_step;
  int64_t output_row, output_step;  // from one cell's sums to the next
  bool add;                         // to what the output holds
};

// What a number and a vector of weights add to a vector of sums.
struct FloatProduct {
  STRIATE_INLINE static Vec add(float x, Vec weights, Vec sum) {
    return fma(all(x), weights, sum);
  }
};

#if defined(__AVX512BF16__)
// Here four bytes hold two bfloat16 numbers, and both products are added.
struct PairProduct {
  STRIATE_INLINE static Vec add(float x, Vec weights, Vec sum) {
    const __m512bh pair = bit_cast<__m512bh>(_mm512_set1_ps(x));
    return _mm512_dpbf16_ps(sum, pair, bit_cast<__m512bh>(weights));
  }
};
#endif

namespace tile {

// Columns lie at three distances from one pointer, as far as an address can say without a register
// for each of them.
constexpr int REACH = 3;

// Sums in registers: every loop over them must be unrolled, or the compiler keeps them in memory.
template <class Product, int ROWS, int COLUMNS, int VECTORS>
struct Sums {
  static constexpr int COUNT = ROWS * COLUMNS * VECTORS;
  Vec v[COUNT];

  STRIATE_INLINE Sums() {
#pragma GCC unroll 32
    for (int i = 0; i < COUNT; ++i) v[i] = Vec{};
  }

  // `factor(row, column)` times a row of vectors is added.
  template <class Factor>
  STRIATE_INLINE void add(const float* vectors, const Factor& factor) {
    Vec row[VECTORS];
    for (int i = 0; i < VECTORS; ++i) row[i] = load(vectors + i * LANES);
#pragma GCC unroll 32
    for (int cell = 0; cell < ROWS * COLUMNS; ++cell) {
      const float x = factor(cell / COLUMNS, cell % COLUMNS);
      for (int i = 0; i < VECTORS; ++i)
        v[cell * VECTORS + i] = Product::add(x, row[i], v[cell * VECTORS + i]);
    }
  }

  template <bool ADD>
  STRIATE_INLINE void put(float* to, int64_t row, int64_t step, int64_t lanes) const {
    if (lanes >= VECTORS * LANES) {
#pragma GCC unroll 32
      for (int i = 0; i < COUNT; ++i) {
        float* at = address(to, i, row, step);
        store(at, ADD ? load(at) + v[i] : v[i]);
      }
      return;
    }
#pragma GCC unroll 32
    for (int i = 0; i < COUNT; ++i) {
      float* at = address(to, i, row, step);
      const int64_t count = lanes - i % VECTORS * LANES;
      store_first(at, ADD ? load_first(at, count) + v[i] : v[i], count);
    }
  }

 private:
  STRIATE_INLINE static float* address(float* to, int i, int64_t row, int64_t step) {
    const int cell = i / VECTORS;
    return to + cell / COLUMNS * row + cell % COLUMNS * step + i % VECTORS * LANES;
  }
};

template <class Product, int ROWS, int COLUMNS, int VECTORS>
void correlate(const Correlation& job, const float* input, const float* weight, float* output,
               int64_t lanes) {
  constexpr int BASES = (COLUMNS + REACH - 1) / REACH;
  Sums<Product, ROWS, COLUMNS, VECTORS> sums;
  const int64_t step = job.input_step, pitch = job.weight_pitch, run = job.run;
  for (const Tap *tap = job.taps, *end = tap + job.count; tap != end; ++tap) {
    const float* w = weight + tap->weight;
    const float* x[ROWS][BASES];
    for (int r = 0; r < ROWS; ++r)
      for (int b = 0; b < BASES; ++b)
        x[r][b] = input + tap->input + r * job.input_row + b * REACH * step;
    for (int64_t k = 0; k < run; ++k, w += pitch)
      sums.add(w, [&](int r, int c) { return x[r][c / REACH][c % REACH * step + k]; });
  }
  sums.template put<false>(output, job.output_row, job.output_step, lanes);
}

template <class Product, int ROWS, int COLUMNS, int VECTORS>
void moments(const Moments& job, const float* input, const float* gradient, float* output,
             int64_t lanes) {
  Sums<Product, ROWS, COLUMNS, VECTORS> sums;
  const int64_t row = job.input_cell_row;
  for (int64_t y = 0; y < job.height; ++y) {
    const float* x = input + y * job.input_row;
    const float* g = gradient + y * job.gradient_row;
    for (int64_t i = 0; i < job.width; ++i, x += job.input_step, g += job.gradient_step)
      sums.add(g, [&](int r, int c) { return x[r * row + c]; });
  }
  if (job.add)
    sums.template put<true>(output, job.output_row, job.output_step, lanes);
  else
    sums.template put<false>(output, job.output_row, job.output_step, lanes);
}

// The functions for all sizes of tiles, [rows][columns][vectors], each counted from 1.
template <class Job>
using Function = void (*)(const Job&, const float*, const float*, float*, int64_t);
template <class Job>
using Columns = std::array<std::array<Function<Job>, TILE_VECTORS>, TILE_CELLS>;
template <class Job>
using Table = std::array<Columns<Job>, TILE_ROWS>;

template <class Product, class Job, int ROWS, int COLUMNS, int VECTORS>
constexpr Function<Job> function() {
  if constexpr (!tile_exists(ROWS, COLUMNS))
    return nullptr;
  else if constexpr (std::is_same_v<Job, Correlation>)
    return correlate<Product, ROWS, COLUMNS, VECTORS>;
  else
    return moments<Product, ROWS, COLUMNS, VECTORS>;
}

template <class Product, class Job, int ROWS, int... COLUMNS>
constexpr auto columns(std::integer_sequence<int, COLUMNS...>) {
  return Columns<Job>{
      {{function<Product, Job, ROWS, COLUMNS + 1, 1>(),
        function<Product, Job, ROWS, COLUMNS + 1, 2>()}...}};
}

template <class Product, class Job, int... ROWS>
constexpr Table<Job> table(std::integer_sequence<int, ROWS...>) {
  return {{columns<Product, Job, ROWS + 1>(std::make_integer_sequence<int, TILE_CELLS>())...}};
}

}  // namespace tile

// Covers rows x columns with tiles, and `lanes` channels with vectors. `at(row, column)` gives what
// moves with the tile: the input and the output of its first cell.
template <class Product = FloatProduct, class Job, class At>
void cover(const Job& job, int64_t rows, int64_t columns, int64_t lanes, const float* other,
           const At& at) {
  static constexpr auto functions =
      tile::table<Product, Job>(std::make_integer_sequence<int, TILE_ROWS>());
  const Split across(columns, TILE_CELLS);
  const Split down(rows, tile_rows(columns));
  for (int64_t lane = 0, width; lane < lanes; lane += width * LANES) {
    width = lanes - lane > LANES ? 2 : 1;
    for (int64_t i = 0, r = 0; i < down.parts; r += down[i++])
      for (int64_t j = 0, c = 0; j < across.parts; c += across[j++]) {
        const auto [input, output] = at(r, c);
        functions[down[i] - 1][across[j] - 1][width - 1](job, input, other + lane, output + lane,
                                                         lanes - lane);
      }
  }
}

}  // namespace striate
