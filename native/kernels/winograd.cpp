// Convolutions of 3x3 by Winograd's transforms, forward.
#include "winograd.h"

#include "epilogue.h"
#include "families.h"

namespace striate {

void transform_cells(const Tiling& tiling, const Pass& pass, const Cells& cells, int64_t sample,
                     int64_t channels, const Positions& to) {
  tiling.each(pass, [&](int64_t tile, int64_t s, int64_t y, int64_t x) {
    const float* corner = cells.first + (s - sample) * cells.sample;
    const float* rows[4];
    int64_t columns[4];
    for (int64_t k = 0; k < 4; ++k) {
      rows[k] = corner + std::min(y + k, cells.height - 1) * cells.row;
      columns[k] = std::min(x + k, cells.width - 1) * cells.pixel;
    }
    for (int64_t c = 0; c < channels; c += LANES) {
      Vec values[4][4], positions[4][4];
      for (int k = 0; k < POSITIONS; ++k)
        values[k / 4][k % 4] = load(rows[k / 4] + columns[k % 4] + c);
      transform<OfInput>(values, positions);
      store_positions(to.values + tile * to.tile + c, to.step, positions);
    }
  });
}

namespace {

constexpr int64_t MOST_CHANNELS = 1 << 20;

// The kernel's positions, from the master's taps. For the input's gradient the kernel is turned by
// 180 degrees and its inputs and outputs change places.
struct PackWinograd final : Kernel {
  Ref master, packed;
  Int channels = 1, filters = 1, backward = 0;

  template <class V>
  void visit(V& v) {
    v("master", master), v("packed", packed), v("channels", channels), v("filters", filters);
    v("backward", backward);
  }

  void check(const Check& c) const override {
    c.between("channels", channels, 1, MOST_CHANNELS);
    c.between("filters", filters, 1, MOST_CHANNELS);
    c.between("backward", backward, 0, 1);
    c.holds("master", master, 9 * channels * round_up(filters, GROUP) * 4);
    c.holds("packed", packed, kernel_floats(inputs(), outputs()) * 4);
  }

  // A group of outputs.
  int64_t parts(int64_t) const override { return divide_up(outputs(), GROUP); }

  void run(const Context& context, Range range) const override {
    const float* from = context.at<float>(master);
    for (int64_t f = range.begin * GROUP; f < range.end * GROUP; f += GROUP) {
      const int64_t panel = f / PANEL * PANEL;
      const int64_t width = std::min<int64_t>(PANEL, round_up(outputs(), GROUP) - panel);
      float* to = context.at<float>(packed) + panel * POSITIONS * inputs() + (f - panel);
      for (int64_t c = 0; c < inputs(); ++c)
        for (int64_t v = 0; v < GROUP; v += LANES)
          pack(from, c, f + v, to + c * width + v, inputs() * width);
    }
  }

 private:
  int64_t inputs() const { return backward != 0 ? filters : channels; }
  int64_t outputs() const { return backward != 0 ? channels : filters; }

  STRIATE_INLINE void pack(const float* from, int64_t input, int64_t output, float* to,
                           int64_t step) const {
    Vec taps[3][3], positions[4][4];
    for (int tap = 0; tap < 9; ++tap) taps[tap / 3][tap % 3] = outputs_of(from, tap, input, output);
    transform<OfKernel>(taps, positions);
    store_positions(to, step, positions);
  }

  STRIATE_INLINE Vec outputs_of(const float* from, int tap, int64_t input, int64_t output) const {
    const int64_t row = round_up(filters, GROUP);
    if (backward == 0) return load(from + (tap * channels + input) * row + output);
    Vec v{};
    for (int64_t i = 0; i < std::min<int64_t>(LANES, channels - output); ++i)
      v[i] = from[((8 - tap) * channels + output + i) * row + input];
    return v;
  }
};

struct ConvWinograd final : ConvForward {
  void check(const Check& c) const override {
    check_common(c);
    c.that(kernel_height == 3 && kernel_width == 3 && stride_y == 1 && stride_x == 1 &&
               dilation_y == 1 && dilation_x == 1 && groups == 1,
           "Winograd's transforms are for kernels of 3x3 without stride, dilation or groups");
    c.holds("weight", weight, kernel_floats(channels, filters) * 4);
  }

  int64_t scratch() const override {
    const Tiling tiling(height, width);
    return 4 * (Positions::floats(tiling.most(), channels) +
                Positions::floats(tiling.most(), PANEL) +
                tiling.samples * height * width * pixel());
  }

  void run(const Context& context, Range range) const override {
    const Tiling tiling(height, width);
    float* scratch = reinterpret_cast<float*>(context.scratch);
    const Positions cells(scratch, tiling.most(), channels);
    float* products = scratch + Positions::floats(tiling.most(), channels);
    float* places = products + Positions::floats(tiling.most(), PANEL);
    const Cells image{context.at(input, 0), context.buffers[input.ref.buffer].stride / 4,
                      input.row, input.pixel, height + 2, width + 2};
    begin_statistics(context, range);
    tiling.passes(range.begin, range.end, [&](const Pass& pass) {
      transform_cells(tiling, pass, image, 0, channels, cells);
      const float* kernel = context.at<float>(weight);
      convolve(cells, tiling.count(pass), channels, kernel, filters, products,
               [&](const Positions& sums, int64_t filter, int64_t count) {
                 store_places(tiling, pass, sums, filter, count, places);
               });
      if (pass.row + pass.rows == tiling.rows)
        for (int64_t s = pass.sample; s < pass.sample + pass.samples; ++s)
          finish(places + (s - pass.sample) * height * width * pixel(), context, range, s, 0,
                 pooled_height());
    });
  }

 private:
  void store_places(const Tiling& tiling, const Pass& pass, const Positions& sums, int64_t filter,
                    int64_t count, float* to) const {
    const int64_t row = width * pixel();
    tiling.each(pass, [&](int64_t tile, int64_t sample, int64_t y, int64_t x) {
      float* corner = to + ((sample - pass.sample) * height + y) * row + x * pixel() + filter;
      for (int64_t c = 0; c < count; c += LANES) {
        Vec places[2][2];
        places_of(sums, tile, c, places);
        for (int64_t i = 0; i < std::min<int64_t>(2, height - y); ++i)
          for (int64_t j = 0; j < std::min<int64_t>(2, width - x); ++j)
            store(corner + i * row + j * pixel() + c, places[i][j]);
      }
    });
  }
};

}  // namespace

Entries winograd_kernels() {
  return {entry<PackWinograd>("pack_winograd"), entry<ConvWinograd>("conv_winograd")};
}

}  // namespace striate
