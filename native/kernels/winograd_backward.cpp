// Gradients of convolutions of 3x3 and 5x5 by Winograd's transforms. The input's is the convolution of the
// gradient of the sums with the kernel turned around. The kernel's is a sum over all tiles of
// products of transformed cells and transformed gradients, which is brought back at the end.
#include "conv_backward.h"
#include "families.h"
#include "winograd.h"

namespace striate {
namespace {

struct ConvBackwardWinograd final : ConvBackward {
  void check(const Check& c) const override {
    check_common(c);
    check_winograd(c, kernel_height, kernel_width,
                   {stride_y, stride_x, dilation_y, dilation_x, groups});
    if (given(input_gradient)) c.holds("weight", weight, kernel_floats(filters, channels) * 4);
  }

  int64_t scratch() const override { return Work(*this, nullptr).bytes; }

  void run(const Context& context, Range range) const override {
    kernel_width == 3 ? run_all<3>(context, range) : run_all<5>(context, range);
  }

 private:
  // Parts of the scratch memory; with the memory at null, only their size.
  struct Work {
    Tiling places, cells;  // of the convolution and of its input
    int64_t samples;       // whose gradients are spread at a time
    int64_t step, row, origin;  // of those, in floats
    float *gradients, *biases, *kernel, *left, *right;
    int64_t bytes;

    Work(const ConvBackwardWinograd& conv, float* begin)
        : places(conv.tiling(conv.height, conv.width, conv.channels)),
          cells(conv.tiling(conv.in_height, conv.in_width, PANEL)),
          samples(std::max(places.samples, cells.samples)),
          step(conv.gradient_floats()),
          row(conv.gradient_row()),
          origin(conv.gradient_origin()) {
      const int64_t most = std::max(places.most(), cells.most());
      gradients = begin;
      biases = gradients + samples * step;
      kernel = biases + conv.pixel();
      left = kernel + kernel_floats(conv.channels, conv.filters);
      right = left + Positions::floats(most, std::max(conv.channels, conv.filters));
      const float* end = right + Positions::floats(most, std::max<int64_t>(conv.filters, PANEL));
      bytes = (end - begin) * static_cast<int64_t>(sizeof(float));
    }
  };

  // Tiles whose gradients, and `others` channels, are transformed together.
  Tiling tiling(int64_t rows, int64_t columns, int64_t others) const {
    return {rows, columns, places_for(static_cast<int>(kernel_width)),
            POSITIONS * (pixel() + round_up(others, GROUP))};
  }

  template <int TAPS>
  void run_all(const Context& context, Range range) const {
    const Work work(*this, reinterpret_cast<float*>(context.scratch));
    std::fill_n(work.gradients, work.samples * work.step, 0.0f);
    std::fill_n(work.kernel, kernel_floats(channels, filters), 0.0f);
    for (int64_t begin = range.begin; begin < range.end; begin += work.samples) {
      const int64_t end = std::min(range.end, begin + work.samples);
      for (int64_t s = begin; s < end; ++s)
        spread(context, range, s, work.gradients + (s - begin) * work.step, work.biases);
      add_kernel_gradient<TAPS>(context, begin, end, work);
      if (given(input_gradient)) store_input_gradient<TAPS>(context, begin, end, work);
    }
    store_kernel_gradient<TAPS>(context.at<float>(weight_gradient, range.slot), work.kernel);
  }

  template <int TAPS>
  void add_kernel_gradient(const Context& context, int64_t begin, int64_t end,
                           const Work& work) const {
    const Tiling& tiling = work.places;
    const Cells image{context.at(input, begin), context.buffers[input.ref.buffer].stride / 4,
                      input.row, input.pixel, height + TAPS - 1, width + TAPS - 1};
    const Positions left(work.left, tiling.most(), channels);
    const Positions right(work.right, tiling.most(), filters);
    tiling.passes(begin, end, [&](const Pass& pass) {
      transform_cells(tiling, pass, image, begin, channels, left);
      transform_gradients<TAPS>(pass, begin, work, right);
      for (int64_t p = 0; p < POSITIONS; ++p)
        for (int64_t f = 0; f < pixel(); f += PANEL)
          multiply<true>({left.values + p * left.step, 1, left.tile,
                          right.values + p * right.step + f, right.tile,
                          work.kernel + p * channels * pixel() + f, pixel(), tiling.count(pass)},
                         channels, std::min<int64_t>(PANEL, pixel() - f));
    });
  }

  template <int TAPS>
  void transform_gradients(const Pass& pass, int64_t begin, const Work& work,
                           const Positions& to) const {
    constexpr int PLACES = places_for(TAPS);
    work.places.each(pass, [&](int64_t tile, int64_t sample, int64_t y, int64_t x) {
      const float* corner = work.gradients + (sample - begin) * work.step + work.origin +
                            y * work.row + x * pixel();
      const bool whole = y + PLACES <= height && x + PLACES <= width;
      for (int64_t c = 0; c < pixel(); c += LANES) {
        if (whole) {
          transform<OfPlaces<TAPS>>({corner + c, work.row, pixel()}, to.square(tile, c));
          continue;
        }
        Patch patch;
        for (int64_t i = 0; i < PLACES; ++i)
          for (int64_t j = 0; j < PLACES; ++j) {
            const bool inside = y + i < height && x + j < width;
            store(patch.cell(i, j),
                  inside ? load(corner + i * work.row + j * pixel() + c) : Vec{});
          }
        transform<OfPlaces<TAPS>>(patch.read(), to.square(tile, c));
      }
    });
  }

  template <int TAPS>
  void store_kernel_gradient(float* to, const float* from) const {
    const int64_t matrix = channels * pixel();
    for (int64_t at = 0; at < matrix; at += LANES)
      transform<ToKernel<TAPS>>(positions_at(from + at, matrix), {to + at, TAPS * matrix, matrix});
  }

  template <int TAPS>
  void store_input_gradient(const Context& context, int64_t begin, int64_t end,
                            const Work& work) const {
    const Tiling& tiling = work.cells;
    const float* first = work.gradients + work.origin + (pad_y - TAPS + 1) * work.row +
                         (pad_x - TAPS + 1) * pixel();
    const Cells image{first,   work.step,           work.row, pixel(),
                      in_height + TAPS - 1, in_width + TAPS - 1};
    const Positions left(work.left, tiling.most(), filters);
    tiling.passes(begin, end, [&](const Pass& pass) {
      transform_cells(tiling, pass, image, begin, filters, left);
      convolve(left, tiling.count(pass), filters, context.at<float>(weight), channels, work.right,
               [&](const Positions& sums, int64_t channel, int64_t count) {
                 store_cells<TAPS>(context, tiling, pass, sums, channel, count);
               });
    });
  }

  template <int TAPS>
  void store_cells(const Context& context, const Tiling& tiling, const Pass& pass,
                   const Positions& sums, int64_t channel, int64_t count) const {
    const View& image = input_gradient;
    const int64_t room = written(image, channels) - channel;
    tiling.each(pass, [&](int64_t tile, int64_t sample, int64_t y, int64_t x) {
      float* corner = context.at(image, sample) + y * image.row + x * image.pixel + channel;
      for (int64_t c = 0; c < count; c += LANES)
        store_places<TAPS>(sums.read(tile, c), {corner + c, image.row, image.pixel}, in_height - y,
                           in_width - x, room - c);
    });
  }
};

}  // namespace

Entries winograd_backward_kernels() {
  return {entry<ConvBackwardWinograd>("conv_backward_winograd")};
}

}  // namespace striate
