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

namespace tile {

// Columns lie at three distances from one pointer, as far as an address can say without a register
// for each of them.
constexpr int REACH = 3;

template <int ROWS, int COLUMNS, int VECTORS>
void correlate(const Correlation& job, const float* input, const float* weight, float* output,
               int64_t lanes) {
  constexpr int BASES = (COLUMNS + REACH - 1) / REACH;
  Vec sums[ROWS][COLUMNS][VECTORS] = {};
  const int64_t step = job.input_step, pitch = job.weight_pitch;
  for (int64_t t = 0; t < job.count; ++t) {
    const float* w = weight + job.taps[t].weight;
    const float* x[ROWS][BASES];
    for (int r = 0; r < ROWS; ++r)
      for (int b = 0; b < BASES; ++b)
        x[r][b] = input + job.taps[t].input + r * job.input_row + b * REACH * step;
    for (int64_t k = 0; k < job.run; ++k, w += pitch) {
      Vec row[VECTORS];
      for (int v = 0; v < VECTORS; ++v) row[v] = load(w + v * LANES);
#pragma GCC unroll 16
      for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
        for (int c = 0; c < COLUMNS; ++c) {
          const Vec factor = all(x[r][c / REACH][c % REACH * step + k]);
          for (int v = 0; v < VECTORS; ++v) sums[r][c][v] = fma(factor, row[v], sums[r][c][v]);
        }
    }
  }
  for (int r = 0; r < ROWS; ++r)
    for (int c = 0; c < COLUMNS; ++c)
      for (int v = 0; v < VECTORS; ++v)
        store_first(output + r * job.output_row + c * job.output_step + v * LANES, sums[r][c][v],
                    lanes - v * LANES);
}

template <int ROWS, int COLUMNS, int VECTORS>
void moments(const Moments& job, const float* input, const float* gradient, float* output,
             int64_t lanes) {
  Vec sums[ROWS][COLUMNS][VECTORS] = {};
  for (int64_t y = 0; y < job.height; ++y) {
    const float* x = input + y * job.input_row;
    const float* g = gradient + y * job.gradient_row;
    for (int64_t i = 0; i < job.width; ++i, x += job.input_step, g += job.gradient_step) {
      Vec row[VECTORS];
      for (int v = 0; v < VECTORS; ++v) row[v] = load(g + v * LANES);
#pragma GCC unroll 16
      for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
        for (int c = 0; c < COLUMNS; ++c) {
          const Vec factor = all(x[r * job.input_cell_row + c]);
          for (int v = 0; v < VECTORS; ++v) sums[r][c][v] = fma(factor, row[v], sums[r][c][v]);
        }
    }
  }
  for (int r = 0; r < ROWS; ++r)
    for (int c = 0; c < COLUMNS; ++c)
      for (int v = 0; v < VECTORS; ++v) {
        float* to = output + r * job.output_row + c * job.output_step + v * LANES;
        const Vec before = job.add ? load_first(to, lanes - v * LANES) : Vec{};
        store_first(to, before + sums[r][c][v], lanes - v * LANES);
      }
}

// The functions for all sizes of tiles, [rows][columns][vectors], each counted from 1.
template <class Job>
using Function = void (*)(const Job&, const float*, const float*, float*, int64_t);
template <class Job>
using Table = std::array<std::array<std::array<Function<Job>, TILE_VECTORS>, TILE_CELLS>, TILE_ROWS>;

template <class Job, int ROWS, int COLUMNS, int VECTORS>
constexpr Function<Job> function() {
  if constexpr (!tile_exists(ROWS, COLUMNS))
    return nullptr;
  else if constexpr (std::is_same_v<Job, Correlation>)
    return correlate<ROWS, COLUMNS, VECTORS>;
  else
    return moments<ROWS, COLUMNS, VECTORS>;
}

template <class Job, int ROWS, int... COLUMNS>
constexpr auto columns(std::integer_sequence<int, COLUMNS...>) {
  return std::array<std::array<Function<Job>, TILE_VECTORS>, TILE_CELLS>{
      {{function<Job, ROWS, COLUMNS + 1, 1>(), function<Job, ROWS, COLUMNS + 1, 2>()}...}};
}

template <class Job, int... ROWS>
constexpr Table<Job> table(std::integer_sequence<int, ROWS...>) {
  return {{columns<Job, ROWS + 1>(std::make_integer_sequence<int, TILE_CELLS>())...}};
}

}  // namespace tile

// Covers rows x columns with tiles, and `lanes` channels with vectors. `at(row, column)` gives what
// moves with the tile: the input and the output of its first cell.
template <class Job, class At>
void cover(const Job& job, int64_t rows, int64_t columns, int64_t lanes, const float* other,
           const At& at) {
  static constexpr auto functions =
      tile::table<Job>(std::make_integer_sequence<int, TILE_ROWS>());
  const Split across(columns, TILE_CELLS);
  const int64_t widest = across[0];
  const Split down(rows, std::min<int64_t>(TILE_ROWS, TILE_CELLS / widest));
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
