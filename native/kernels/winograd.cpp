// Convolutions of 3x3 and 5x5 by Winograd's transforms, forward.
#include "winograd.h"

#include "epilogue.h"
#include "families.h"

namespace striate {

void transform_cells(const Tiling& tiling, const Pass& pass, const Cells& cells, int64_t sample,
                     int64_t channels, const Positions& to) {
  tiling.each(pass, [&](int64_t tile, int64_t s, int64_t y, int64_t x) {
    const float* corner = cells.first + (s - sample) * cells.sample;
    const bool whole = y + SIDE <= cells.height && x + SIDE <= cells.width;
    const float* first = corner + y * cells.row + x * cells.pixel;
    for (int64_t c = 0; c < channels; c += LANES) {
      if (whole) {
        transform<OfCells>({first + c, cells.row, cells.pixel}, to.square(tile, c));
        continue;
      }
      Patch patch;
      for (int64_t i = 0; i < SIDE; ++i)
        for (int64_t j = 0; j < SIDE; ++j)
          store(patch.cell(i, j), load(corner + std::min(y + i, cells.height - 1) * cells.row +
                                       std::min(x + j, cells.width - 1) * cells.pixel + c));
      transform<OfCells>(patch.read(), to.square(tile, c));
    }
  });
}

void check_winograd(const Check& c, int64_t kernel_height, int64_t kernel_width,
                    std::initializer_list<int64_t> plain) {
  const bool fits = kernel_height == kernel_width && (kernel_width == 3 || kernel_width == 5);
  c.that(fits && std::all_of(plain.begin(), plain.end(), [](int64_t n) { return n == 1; }),
         "Winograd's transforms are for kernels of 3x3 and 5x5 without stride, dilation or groups");
}

namespace {

constexpr int64_t MOST_CHANNELS = 1 << 20;

// The kernel's positions, from the master's taps. For the input's gradient the kernel is turned by
// 180 degrees and its inputs and outputs change places.
struct PackWinograd final : Kernel {
  Ref master, packed;
  Int side = 3, channels = 1, filters = 1, backward = 0;

  template <class V>
  void visit(V& v) {
    v("master", master), v("packed", packed), v("side", side), v("channels", channels);
    v("filters", filters), v("backward", backward);
  }

  void check(const Check& c) const override {
    check_winograd(c, side, side, {});
    c.between("channels", channels, 1, MOST_CHANNELS);
    c.between("filters", filters, 1, MOST_CHANNELS);
    c.between("backward", backward, 0, 1);
    c.holds("master", master, side * side * channels * round_up(filters, GROUP) * 4);
    c.holds("packed", packed, kernel_floats(inputs(), outputs()) * 4);
  }

  // A group of outputs.
  int64_t parts(int64_t) const override { return divide_up(outputs(), GROUP); }

  void run(const Context& context, Range range) const override {
    side == 3 ? pack<3>(context, range) : pack<5>(context, range);
  }

 private:
  int64_t inputs() const { return backward != 0 ? filters : channels; }
  int64_t outputs() const { return backward != 0 ? channels : filters; }

  template <int TAPS>
  void pack(const Context& context, Range range) const {
    const float* from = context.at<float>(master);
    for (int64_t f = range.begin * GROUP; f < range.end * GROUP; f += GROUP) {
      const int64_t panel = f / PANEL * PANEL;
      const int64_t width = std::min<int64_t>(PANEL, round_up(outputs(), GROUP) - panel);
      float* to = context.at<float>(packed) + panel * POSITIONS * inputs() + (f - panel);
      for (int64_t c = 0; c < inputs(); ++c)
        for (int64_t v = 0; v < GROUP; v += LANES)
          pack_vector<TAPS>(from, c, f + v, to + c * width + v, inputs() * width);
    }
  }

  template <int TAPS>
  STRIATE_INLINE void pack_vector(const float* from, int64_t input, int64_t output, float* to,
                                  int64_t step) const {
    Patch taps;
    for (int tap = 0; tap < TAPS * TAPS; ++tap)
      store(taps.cell(tap / TAPS, tap % TAPS), outputs_of(from, tap, input, output));
    transform<OfKernel<TAPS>>(taps.read(), positions_at(to, step));
  }

  STRIATE_INLINE Vec outputs_of(const float* from, int64_t tap, int64_t input,
                                int64_t output) const {
    const int64_t row = round_up(filters, GROUP);
    if (backward == 0) return load(from + (tap * channels + input) * row + output);
    const int64_t turned = side * side - 1 - tap;
    Vec v{};
    for (int64_t i = 0; i < std::min<int64_t>(LANES, channels - output); ++i)
      v[i] = from[(turned * channels + output + i) * row + input];
    return v;
  }
};

struct ConvWinograd final : ConvForward {
  void check(const Check& c) const override {
    check_common(c);
    check_winograd(c, kernel_height, kernel_width,
                   {stride_y, stride_x, dilation_y, dilation_x, groups});
    c.holds("weight", weight, kernel_floats(channels, filters) * 4);
  }

  int64_t scratch() const override {
    const Tiling cut = tiling();
    return 4 * (Positions::floats(cut.most(), channels) + Positions::floats(cut.most(), PANEL) +
                cut.samples * height * width * pixel());
  }

  void run(const Context& context, Range range) const override {
    kernel_width == 3 ? convolve_all<3>(context, range) : convolve_all<5>(context, range);
  }

 private:
  Tiling tiling() const {
    return {height, width, places_for(static_cast<int>(kernel_width)),
            POSITIONS * (round_up(channels, GROUP) + PANEL)};
  }

  template <int TAPS>
  void convolve_all(const Context& context, Range range) const {
    const Tiling cut = tiling();
    float* scratch = reinterpret_cast<float*>(context.scratch);
    const Positions cells(scratch, cut.most(), channels);
    float* products = scratch + Positions::floats(cut.most(), channels);
    float* places = products + Positions::floats(cut.most(), PANEL);
    const Cells image{context.at(input, 0), context.buffers[input.ref.buffer].stride / 4,
                      input.row, input.pixel, height + TAPS - 1, width + TAPS - 1};
    begin_statistics(context, range);
    cut.passes(range.begin, range.end, [&](const Pass& pass) {
      transform_cells(cut, pass, image, 0, channels, cells);
      convolve(cells, cut.count(pass), channels, context.at<float>(weight), filters, products,
               [&](const Positions& sums, int64_t filter, int64_t count) {
                 store_sums<TAPS>(cut, pass, sums, filter, count, places);
               });
      if (pass.row + pass.rows == cut.rows)
        for (int64_t s = pass.sample; s < pass.sample + pass.samples; ++s)
          finish(places + (s - pass.sample) * height * width * pixel(), context, range, s, 0,
                 pooled_height());
    });
  }

  template <int TAPS>
  void store_sums(const Tiling& cut, const Pass& pass, const Positions& sums, int64_t filter,
                  int64_t count, float* to) const {
    const int64_t row = width * pixel();
    cut.each(pass, [&](int64_t tile, int64_t sample, int64_t y, int64_t x) {
      float* corner = to + ((sample - pass.sample) * height + y) * row + x * pixel() + filter;
      for (int64_t c = 0; c < count; c += LANES)
        store_places<TAPS>(sums.read(tile, c), {corner + c, row, pixel()}, height - y, width - x,
                           LANES);
    });
  }
};

}  // namespace

Entries winograd_kernels() {
  return {entry<PackWinograd>("pack_winograd"), entry<ConvWinograd>("conv_winograd")};
}

}  // namespace striate
