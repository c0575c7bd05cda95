// Convolution with products of bfloat16 numbers and sums in float32. Two bfloat16 numbers lie in
// four bytes, a pair, and everything here counts in pairs what the float kernels count in floats.
#include "conv.h"
#include "conv_input_gradient.h"
#include "epilogue.h"
#include "families.h"

namespace striate {

#if defined(__AVX512BF16__)

namespace {

constexpr int64_t MOST_BYTES = 1 << 30;  // of scratch memory

// Rounded to the nearest, the two vectors alternate: low 0, high 0, low 1...
STRIATE_INLINE Vec pairs(Vec low, Vec high) {
  const __m512i first = _mm512_cvtepu16_epi32(bit_cast<__m256i>(_mm512_cvtneps_pbh(low)));
  const __m512i second = _mm512_cvtepu16_epi32(bit_cast<__m256i>(_mm512_cvtneps_pbh(high)));
  return bit_cast<Vec>(_mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
}

// `count` neighbours as bfloat16, a zero behind an odd number of them; writes whole vectors.
void narrow(const float* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += LANES)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i / 2),
                        bit_cast<__m256i>(_mm512_cvtneps_pbh(load_first(from + i, count - i))));
}

// Rows x columns of pixels with `channels` each, close together as pairs.
void narrow_image(const float* from, int64_t row, int64_t pixel, int64_t rows, int64_t columns,
                  int64_t channels, float* to) {
  const int64_t half = divide_up(channels, 2);
  for (int64_t y = 0; y < rows; ++y, from += row, to += columns * half) {
    if (pixel == channels && channels % 2 == 0) {
      narrow(from, columns * channels, to);
      continue;
    }
    for (int64_t x = 0; x < columns; ++x) narrow(from + x * pixel, channels, to + x * half);
  }
}

// The input of a convolution, as far as its taps reach.
template <class Conv>
int64_t input_rows(const Conv& conv) {
  return (conv.height - 1) * conv.stride_y + (conv.kernel_height - 1) * conv.dilation_y + 1;
}
template <class Conv>
int64_t input_columns(const Conv& conv) {
  return (conv.width - 1) * conv.stride_x + (conv.kernel_width - 1) * conv.dilation_x + 1;
}

// weight: [tap][pair of channels][filters rounded up to 16], made by `pack_bf16`.
struct ConvBf16 final : ConvForward {
  void check(const Check& c) const override {
    check_common(c);
    c.that(groups == 1, "bfloat16 has no groups");
    c.holds("weight", weight, taps() * half() * pixel() * 4);
    c.that(input_rows(*this) * input_columns(*this) <= MOST_BYTES && scratch() <= MOST_BYTES,
           "the image is too large");
  }

  int64_t scratch() const override {
    return (image() + rows_for(band()) * width * pixel()) * 4 + taps_bytes();
  }

  void run(const Context& context, Range range) const override {
    begin_statistics(context, range);
    Tap* list = reinterpret_cast<Tap*>(context.scratch);
    float* image_pairs = reinterpret_cast<float*>(context.scratch + taps_bytes());
    float* sums = image_pairs + image();
    const int64_t row = input_columns(*this) * half();
    const bool joined = dilation_x == 1;
    int64_t count = 0;
    for (int64_t ky = 0; ky < kernel_height; ++ky)
      for (int64_t kx = 0; kx < (joined ? 1 : kernel_width); ++kx)
        list[count++] = {ky * dilation_y * row + kx * dilation_x * half(),
                         (ky * kernel_width + kx) * half() * pixel()};
    const Correlation job{list, count, half() * (joined ? kernel_width : 1), pixel(),
                          stride_y * row, stride_x * half(), width * pixel(), pixel()};
    for (int64_t i = range.begin; i < range.end; ++i) {
      narrow_image(context.at(input, i), input.row, input.pixel, input_rows(*this),
                   input_columns(*this), channels, image_pairs);
      for (int64_t y = 0; y < pooled_height(); y += band()) {
        const int64_t end = std::min(pooled_height(), y + band());
        const float* from = image_pairs + first_row(y) * job.input_row;
        cover<PairProduct>(job, rows_for(end - y), width, pixel(), context.at<float>(weight),
                           [&](int64_t r, int64_t c) {
                             return std::pair{from + r * job.input_row + c * job.input_step,
                                              sums + r * job.output_row + c * job.output_step};
                           });
        finish(sums, context, range, i, y, end);
      }
    }
  }

 private:
  int64_t half() const { return divide_up(channels, 2); }
  int64_t image() const {
    return round_up(input_rows(*this) * input_columns(*this) * half() + GROUP, GROUP);
  }
  int64_t taps_bytes() const { return round_up(taps() * static_cast<int64_t>(sizeof(Tap)), 64); }
};

// weight: [tap][pair of filters][channels rounded up to 16], made by `pack_bf16` for backward.
struct ConvBackwardBf16 final : ConvBackward {
  void check(const Check& c) const override {
    check_common(c);
    c.that(groups == 1, "bfloat16 has no groups");
    c.that(input_rows(*this) * input_columns(*this) <= MOST_BYTES && scratch() <= MOST_BYTES,
           "the image is too large");
    if (given(input_gradient))
      c.holds("weight", weight, taps() * divide_up(filters, 2) * round_up(channels, GROUP) * 4);
  }

  int64_t scratch() const override { return Work(*this, nullptr).bytes; }

  void run(const Context& context, Range range) const override {
    const Work work(*this, context.scratch);
    std::fill_n(work.sums, gradient_floats(), 0.0f);
    const InputGradient<PairProduct> input_gradient_of(*this, pixel() / 2, divide_up(filters, 2),
                                                       work.taps);
    for (int64_t i = range.begin; i < range.end; ++i) {
      spread(context, range, i, work.sums, work.biases);
      weight_gradient_in_pairs(context, range, i, work);
      if (!given(input_gradient)) continue;
      narrow(work.sums, gradient_floats(), work.pairs);
      input_gradient_of(work.pairs + gradient_origin() / 2, context.at<float>(weight),
                        context.at(input_gradient, i));
    }
  }

 private:
  // Places are paired with those below them, (y, x) with (y + 1, x) for even y, and so are the rows
  // of the input that they read.
  struct Work {
    Tap* taps;
    float* biases;
    float* sums;
    float* pairs;   // the sums' gradient, by neighbours among filters; then by rows
    float* inputs;  // by rows
    int64_t bytes = 0;

    // Without memory only the bytes have a meaning.
    Work(const ConvBackwardBf16& conv, char* begin) {
      const auto take = [&](int64_t count) {
        const auto part = reinterpret_cast<uintptr_t>(begin) + static_cast<uintptr_t>(bytes);
        bytes += round_up(count * 4, 64);
        return reinterpret_cast<float*>(part);
      };
      taps = reinterpret_cast<Tap*>(take(conv.taps() * 4));
      biases = take(conv.pixel());
      sums = take(conv.gradient_floats());
      pairs = take(std::max(conv.gradient_floats() / 2,
                            divide_up(conv.height, 2) * conv.width * conv.pixel()));
      inputs = take(input_rows(conv) * input_columns(conv) * conv.channels + GROUP);
    }
  };

  void weight_gradient_in_pairs(const Context& context, Range range, int64_t sample,
                                const Work& work) const {
    const int64_t row = input_columns(*this) * channels, rows = input_rows(*this);
    for (int64_t y = 0; y < rows; ++y) {
      const float* from = context.at(input, sample) + y * input.row;
      pair_rows(from, y + stride_y < rows ? from + stride_y * input.row : nullptr, input.pixel,
                input_columns(*this), channels, channels, work.inputs + y * row);
    }
    for (int64_t y = 0; y < height; y += 2) {
      const float* from = work.sums + gradient_origin() + y * gradient_row();
      pair_rows(from, y + 1 < height ? from + gradient_row() : nullptr, pixel(), width, pixel(),
                pixel(), work.pairs + y / 2 * width * pixel());
    }
    const bool joined = dilation_x == 1;
    const Moments job{divide_up(height, 2), width, 2 * stride_y * row, stride_x * channels,
                      dilation_y * row, width * pixel(), pixel(),
                      kernel_width * channels * pixel(), pixel(), sample != range.begin};
    for (int64_t kx = 0; kx < (joined ? 1 : kernel_width); ++kx) {
      const float* cells = work.inputs + kx * dilation_x * channels;
      float* to = context.at<float>(weight_gradient, range.slot) + kx * channels * pixel();
      cover<PairProduct>(job, kernel_height, joined ? kernel_width * channels : channels, pixel(),
                         work.pairs, [&](int64_t r, int64_t c) {
                           return std::pair{cells + r * job.input_cell_row + c,
                                            to + r * job.output_row + c * job.output_step};
                         });
    }
  }

  // A row of pixels, each number paired with that of the row below, zero where there is none.
  static void pair_rows(const float* upper, const float* lower, int64_t step, int64_t columns,
                        int64_t count, int64_t to_step, float* to) {
    if (step == count) count *= columns, columns = 1;
    for (int64_t x = 0; x < columns; ++x)
      for (int64_t c = 0; c < count; c += LANES) {
        const Vec low = load_first(upper + x * step + c, count - c);
        const Vec high = lower == nullptr ? Vec{} : load_first(lower + x * step + c, count - c);
        store(to + x * to_step + c, pairs(low, high));
      }
  }
};

// A master [tap][channel][filters rounded up to 16] as pairs: [tap][pair of channels][filters
// rounded up to 16], or, backward, [tap][pair of filters][channels rounded up to 16].
struct PackBf16 final : Kernel {
  Ref master, packed;
  Int taps = 1, channels = 1, filters = 1, backward = 0;

  template <class V>
  void visit(V& v) {
    v("master", master), v("packed", packed), v("taps", taps), v("channels", channels);
    v("filters", filters), v("backward", backward);
  }

  void check(const Check& c) const override {
    c.between("taps", taps, 1, 255 * 255);
    c.between("channels", channels, 1, 1 << 20);
    c.between("filters", filters, 1, 1 << 20);
    c.holds("master", master, taps * channels * round_up(filters, GROUP) * 4);
    c.holds("packed", packed, taps * rows() * row() * 4);
  }

  int64_t parts(int64_t) const override { return taps; }

  void run(const Context& context, Range range) const override {
    const int64_t pitch = round_up(filters, GROUP);
    for (int64_t tap = range.begin; tap < std::min(range.end, taps); ++tap) {
      const float* from = context.at<float>(master) + tap * channels * pitch;
      float* to = context.at<float>(packed) + tap * rows() * row();
      for (int64_t r = 0; r < rows(); ++r)
        for (int64_t i = 0; i < row(); i += LANES)
          store(to + r * row() + i,
                pairs(line(from, pitch, 2 * r, i), line(from, pitch, 2 * r + 1, i)));
    }
  }

 private:
  int64_t rows() const { return divide_up(backward ? filters : channels, 2); }
  int64_t row() const { return round_up(backward ? channels : filters, GROUP); }

  // Sixteen weights of one summand (a channel; backward, a filter), zero where there are none.
  Vec line(const float* from, int64_t pitch, int64_t summand, int64_t first) const {
    if (summand >= (backward ? filters : channels)) return Vec{};
    if (!backward) return load(from + summand * pitch + first);
    Vec v{};
    for (int64_t i = 0; i < LANES && first + i < channels; ++i)
      v[i] = from[(first + i) * pitch + summand];
    return v;
  }
};

}  // namespace

Entries conv_bf16_kernels() {
  return {entry<ConvBf16>("conv_bf16"), entry<ConvBackwardBf16>("conv_backward_bf16"),
          entry<PackBf16>("pack_bf16")};
}

#else

Entries conv_bf16_kernels() { return {}; }

#endif

}  // namespace striate
