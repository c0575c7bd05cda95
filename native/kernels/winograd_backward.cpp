// Gradients of 3x3 convolutions by Winograd's transforms. The input's is the convolution of the
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
    c.that(kernel_height == 3 && kernel_width == 3 && stride_y == 1 && stride_x == 1 &&
               dilation_y == 1 && dilation_x == 1 && groups == 1,
           "Winograd's transforms are for kernels of 3x3 without stride, dilation or groups");
    if (given(input_gradient)) c.holds("weight", weight, kernel_floats(filters, channels) * 4);
  }

  int64_t scratch() const override { return Work(*this, nullptr).bytes; }

  void run(const Context& context, Range range) const override {
    const Work work(*this, reinterpret_cast<float*>(context.scratch));
    const int64_t step = gradient_floats();
    std::fill_n(work.gradients, work.samples * step, 0.0f);
    std::fill_n(work.kernel, kernel_floats(channels, filters), 0.0f);
    for (int64_t begin = range.begin; begin < range.end; begin += work.samples) {
      const int64_t end = std::min(range.end, begin + work.samples);
      for (int64_t s = begin; s < end; ++s)
        spread(context, range, s, work.gradients + (s - begin) * step, work.biases);
      add_kernel_gradient(context, begin, end, work);
      if (given(input_gradient)) store_input_gradient(context, begin, end, work);
    }
    store_kernel_gradient(context.at<float>(weight_gradient, range.slot), work.kernel);
  }

 private:
  // Parts of the scratch memory; with the memory at null, only their size.
  struct Work {
    Tiling places, cells;  // of the convolution and of its input
    int64_t samples;       // whose gradients are spread at a time
    float *gradients, *biases, *kernel, *left, *right;
    int64_t bytes;

    Work(const ConvBackwardWinograd& conv, float* begin)
        : places(conv.height, conv.width),
          cells(conv.in_height, conv.in_width),
          samples(std::max(places.samples, cells.samples)) {
      const int64_t most = std::max(places.most(), cells.most());
      gradients = begin;
      biases = gradients + samples * conv.gradient_floats();
      kernel = biases + conv.pixel();
      left = kernel + kernel_floats(conv.channels, conv.filters);
      right = left + Positions::floats(most, std::max(conv.channels, conv.filters));
      const float* end = right + Positions::floats(most, std::max<int64_t>(conv.filters, PANEL));
      bytes = (end - begin) * static_cast<int64_t>(sizeof(float));
    }
  };

  void add_kernel_gradient(const Context& context, int64_t begin, int64_t end,
                           const Work& work) const {
    const Tiling& tiling = work.places;
    const Cells image{context.at(input, begin), context.buffers[input.ref.buffer].stride / 4,
                      input.row, input.pixel, height + 2, width + 2};
    const Positions left(work.left, tiling.most(), channels);
    const Positions right(work.right, tiling.most(), filters);
    tiling.passes(begin, end, [&](const Pass& pass) {
      transform_cells(tiling, pass, image, begin, channels, left);
      transform_gradients(pass, begin, work, right);
      for (int64_t p = 0; p < POSITIONS; ++p)
        for (int64_t f = 0; f < pixel(); f += PANEL)
          multiply<true>({left.values + p * left.step, 1, left.tile,
                          right.values + p * right.step + f, right.tile,
                          work.kernel + p * channels * pixel() + f, pixel(), tiling.count(pass)},
                         channels, std::min<int64_t>(PANEL, pixel() - f));
    });
  }

  void transform_gradients(const Pass& pass, int64_t begin, const Work& work,
                           const Positions& to) const {
    work.places.each(pass, [&](int64_t tile, int64_t sample, int64_t y, int64_t x) {
      const float* corner = work.gradients + (sample - begin) * gradient_floats() +
                            gradient_origin() + y * gradient_row() + x * pixel();
      const bool below = y + 1 < height, beside = x + 1 < width;
      for (int64_t c = 0; c < pixel(); c += LANES) {
        const float* from = corner + c;
        const Vec places[2][2] = {
            {load(from), beside ? load(from + pixel()) : Vec{}},
            {below ? load(from + gradient_row()) : Vec{},
             below && beside ? load(from + gradient_row() + pixel()) : Vec{}}};
        Vec positions[4][4];
        transform<OfPlaces>(places, positions);
        store_positions(to.values + tile * to.tile + c, to.step, positions);
      }
    });
  }

  void store_kernel_gradient(float* to, const float* from) const {
    const int64_t matrix = channels * pixel();
    for (int64_t at = 0; at < matrix; at += LANES) {
      Vec positions[4][4], taps[3][3];
      load_positions(from + at, matrix, positions);
      transform<ToKernel>(positions, taps);
      for (int tap = 0; tap < 9; ++tap) store(to + tap * matrix + at, taps[tap / 3][tap % 3]);
    }
  }

  void store_input_gradient(const Context& context, int64_t begin, int64_t end,
                            const Work& work) const {
    const Tiling& tiling = work.cells;
    const float* first = work.gradients + gradient_origin() + (pad_y - 2) * gradient_row() +
                         (pad_x - 2) * pixel();
    const Cells image{first,   gradient_floats(), gradient_row(), pixel(),
                      in_height + 2, in_width + 2};
    const Positions left(work.left, tiling.most(), filters);
    tiling.passes(begin, end, [&](const Pass& pass) {
      transform_cells(tiling, pass, image, begin, filters, left);
      convolve(left, tiling.count(pass), filters, context.at<float>(weight), channels, work.right,
               [&](const Positions& sums, int64_t channel, int64_t count) {
                 store_cells(context, tiling, pass, sums, channel, count);
               });
    });
  }

  void store_cells(const Context& context, const Tiling& tiling, const Pass& pass,
                   const Positions& sums, int64_t channel, int64_t count) const {
    const int64_t room = written(input_gradient, channels) - channel;
    tiling.each(pass, [&](int64_t tile, int64_t sample, int64_t y, int64_t x) {
      float* corner = context.at(input_gradient, sample) + y * input_gradient.row +
                      x * input_gradient.pixel + channel;
      for (int64_t c = 0; c < count; c += LANES) {
        Vec cells[2][2];
        places_of(sums, tile, c, cells);
        for (int64_t i = 0; i < std::min<int64_t>(2, in_height - y); ++i)
          for (int64_t j = 0; j < std::min<int64_t>(2, in_width - x); ++j)
            store_first(corner + i * input_gradient.row + j * input_gradient.pixel + c, cells[i][j],
                        room - c);
      }
    });
  }
};

}  // namespace

Entries winograd_backward_kernels() {
  return {entry<ConvBackwardWinograd>("conv_backward_winograd")};
}

}  // namespace striate
