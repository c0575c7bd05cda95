// Gradients of convolutions behind max-pooling. Only the winners of the windows have a gradient,
// and behind relu only the positive ones: about an eighth of the places for windows of 2x2.
#include "sparse.h"

#include "conv_backward.h"
#include "epilogue.h"
#include "families.h"

namespace striate {
namespace {

constexpr int64_t MOST_CHANNELS = 1 << 20;

// Hands out parts of the scratch memory; begun at null, it only measures.
class Share {
 public:
  explicit Share(char* begin) : begin_(begin) {}
  template <class T>
  T* take(int64_t count) {
    T* const part = begin_ == nullptr ? nullptr : reinterpret_cast<T*>(begin_ + bytes_);
    bytes_ += round_up(count * static_cast<int64_t>(sizeof(T)), 64);
    return part;
  }
  int64_t bytes() const { return bytes_; }

 private:
  char* begin_;
  int64_t bytes_ = 0;
};

// Channels that lie together: a vector where they fit in one, else a group.
int64_t together(int64_t channels) { return channels <= LANES ? LANES : GROUP; }

// The master's taps, from [tap][channel][filter] to [channels together][filter][tap][channel]: one
// gradient meets all taps of these channels on its way.
struct PackTaps final : Kernel {
  Ref master, packed;
  Int taps = 1, channels = 1, filters = 1;

  template <class V>
  void visit(V& v) {
    v("master", master), v("packed", packed), v("taps", taps), v("channels", channels);
    v("filters", filters);
  }

  void check(const Check& c) const override {
    c.between("taps", taps, 1, 1 << 16);
    c.between("channels", channels, 1, MOST_CHANNELS);
    c.between("filters", filters, 1, MOST_CHANNELS);
    c.holds("master", master, taps * channels * round_up(filters, GROUP) * 4);
    c.holds("packed", packed, taps * filters * round_up(channels, GROUP) * 4);
  }

  int64_t parts(int64_t) const override { return divide_up(channels, together(channels)) * taps; }

  void run(const Context& context, Range range) const override {
    const int64_t width = together(channels), row = round_up(filters, GROUP);
    for (int64_t part = range.begin; part < range.end; ++part) {
      const int64_t tap = part % taps, channel = part / taps * width;
      const float* from = context.at<float>(master) + (tap * channels + channel) * row;
      float* to = context.at<float>(packed) + channel * filters * taps + tap * width;
      transpose_group(from, row, channels - channel, width, to, taps * width, filters);
    }
  }
};

struct ConvBackwardSparse final : ConvBackward {
  void check(const Check& c) const override {
    check_common(c);
    c.that(pool == ConvForward::MAX_POOL && activation != ConvForward::LEAKY,
           "only the winners of max-pooling behind relu or nothing have sparse gradients");
    c.that(stride_y == 1 && stride_x == 1 && dilation_y == 1 && dilation_x == 1 && groups == 1,
           "sparse gradients are for kernels without stride, dilation or groups");
    constexpr int64_t MOST_FLOATS = 1 << 28;  // what an offset of a list can reach
    c.that((height + kernel_height) * input.row < MOST_FLOATS &&
               height * output_gradient.row < MOST_FLOATS &&
               taps() * filters * GROUP < MOST_FLOATS &&
               window() <= ConvForward::DEAD,
           "the image is too large");
    if (!given(input_gradient)) return;
    c.holds("weight", weight, taps() * filters * round_up(channels, GROUP) * 4);
    c.that(spread_height() * spread_width() * round_up(channels, GROUP) < MOST_FLOATS,
           "the image is too large");
  }

  int64_t scratch() const override { return Work(*this, nullptr).bytes; }

  void run(const Context& context, Range range) const override {
    if (!given(input_gradient) && input.pixel == channels && channels < LANES / 2)
      run_masked(context, range);
    else
      run_sparse(context, range);
  }

 private:
  // How the input is read: the taps of a kernel's row in one run where its pixels lie close.
  int64_t runs() const { return close() ? 1 : kernel_width; }
  bool close() const {
    return input.pixel >= channels && input.pixel <= round_up(channels, GROUP);
  }
  int64_t run_floats() const { return close() ? kernel_width * input.pixel : channels; }
  int64_t run_step() const { return round_up(run_floats(), GROUP); }
  int64_t row_floats() const { return runs() * run_step(); }

  int64_t window() const { return pool_height * pool_width; }
  // Rows of windows whose lists are made at once: enough to keep sums in registers for a while, few
  // enough for the lists and the input to stay in the nearest cache.
  int64_t band() const {
    constexpr int64_t WINDOWS = 32;
    return std::min(pooled_height(), divide_up(WINDOWS, pooled_width()));
  }
  // Of the list of a filter: all windows of a band, and what an append overwrites.
  int64_t filter_step() const { return band() * pooled_width() + GROUP; }
  int64_t near() const { return together(channels); }
  int64_t spread_height() const {
    return std::max(in_height + pad_y, height + kernel_height - 1);
  }
  int64_t spread_width() const { return std::max(in_width + pad_x, width + kernel_width - 1); }

  struct Work {
    float* sums;       // [filter][kernel row][run], of the weights' gradient
    float* gradients;  // [channels together][row][column][channel], of the input
    int32_t* filter_offsets;  // [filter][window]: the input's cell of each gradient
    float* filter_values;
    int32_t* filter_counts;
    int32_t* place_offsets;  // [window][place][...]: the kernel of each gradient
    float* place_values;
    int32_t* place_begins;  // [window][place], in the lists above
    int32_t *gradient_at, *input_at, *place_at;  // [window of a band]: the first value of each
    int32_t* step_to;  // [place]: from the window's first in `gradients`
    int64_t bytes;

    Work(const ConvBackwardSparse& conv, char* begin) {
      const int64_t windows = conv.band() * conv.pooled_width();
      const int64_t entries = conv.filters * conv.filter_step();
      Share share(begin);
      sums = share.take<float>(conv.filters * conv.kernel_height * conv.row_floats());
      gradients = share.take<float>(
          given(conv.input_gradient)
              ? round_up(conv.channels, conv.near()) * conv.spread_height() * conv.spread_width()
              : 0);
      filter_offsets = share.take<int32_t>(entries);
      filter_values = share.take<float>(entries);
      filter_counts = share.take<int32_t>(conv.filters);
      place_offsets = share.take<int32_t>(entries);
      place_values = share.take<float>(entries);
      place_begins = share.take<int32_t>(windows * conv.window() + 1);
      for (int32_t** at : {&gradient_at, &input_at, &place_at})
        *at = share.take<int32_t>(windows + LANES);
      step_to = share.take<int32_t>(conv.window());
      bytes = share.bytes();
    }
  };

  void run_sparse(const Context& context, Range range) const {
    const Work work(*this, context.scratch);
    measure(work);
    std::fill_n(work.sums, filters * kernel_height * row_floats(), 0.0f);
    for (int64_t s = range.begin; s < range.end; ++s) {
      if (given(input_gradient))
        std::fill_n(work.gradients,
                    round_up(channels, near()) * spread_height() * spread_width(), 0.0f);
      for (int64_t y = 0; y < pooled_height(); y += band()) {
        const int64_t end = std::min(pooled_height(), y + band());
        const Band windows = band_of(context, s, y, end, work);
        list_filters(windows, work);
        add_weight_gradient(windows.input, work);
        if (!given(input_gradient)) continue;
        list_places(windows, work);
        add_input_gradient(context.at<float>(weight), windows, work);
      }
      if (given(input_gradient)) store_input_gradient(context.at(input_gradient, s), work);
    }
    store_weight_gradient(context.at<float>(weight_gradient, range.slot), work);
    if (given(bias_gradient)) store_bias_gradient(context, range);
  }

  // The windows of some rows: where their numbers in the tables of Work count from.
  struct Band {
    const uint8_t* index;
    const float* gradient;
    const float* input;
    float* input_gradient;  // of the first group of channels
    int64_t windows;
  };
  Band band_of(const Context& context, int64_t sample, int64_t begin, int64_t end,
               const Work& work) const {
    const int64_t columns = pooled_width();
    return {context.at<uint8_t>(index, sample) + begin * columns * pixel(),
            context.at(output_gradient, sample) + begin * output_gradient.row,
            context.at(input, sample) + begin * pool_stride_y * input.row,
            work.gradients + begin * pool_stride_y * spread_width() * near(),
            (end - begin) * columns};
  }

  // Fills the tables of windows and places.
  void measure(const Work& work) const {
    for (int64_t y = 0, w = 0; y < band(); ++y)
      for (int64_t x = 0; x < pooled_width(); ++x, ++w) {
        work.gradient_at[w] =
            static_cast<int32_t>(y * output_gradient.row + x * output_gradient.pixel);
        work.input_at[w] =
            static_cast<int32_t>(y * pool_stride_y * input.row + x * pool_stride_x * input.pixel);
        work.place_at[w] = static_cast<int32_t>(
            (y * pool_stride_y * spread_width() + x * pool_stride_x) * near());
      }
    for (int64_t y = 0, i = 0; y < pool_height; ++y)
      for (int64_t x = 0; x < pool_width; ++x, ++i)
        work.step_to[i] = static_cast<int32_t>((y * spread_width() + x) * near());
  }

  STRIATE_INLINE IntVec winner_of(const Band& band, int64_t w, int64_t f) const {
    return load_index(band.index + w * pixel() + f);
  }

  // For each place of each window the filters that have their largest value there.
  void list_places(const Band& band, const Work& work) const {
    const int32_t step = static_cast<int32_t>(taps() * near());
    int32_t* begins = work.place_begins;
    int32_t listed = 0;
    const Vec scale = all(static_cast<float>(1 / (1 - drop)));
    const int32_t places = static_cast<int32_t>(window()), end = static_cast<int32_t>(filters);
    for (int64_t w = 0; w < band.windows; ++w) {
      const float* gradient = band.gradient + work.gradient_at[w];
      for (int32_t place = 0; place < places; ++place) {
        *begins++ = listed;
        for (int32_t f = 0; f < end; f += LANES) {
          const IntVec filter = lane_numbers() + f;
          const IntVec chosen = (winner_of(band, w, f) == all(place)) & (filter < all(end));
          listed += static_cast<int32_t>(append(chosen, filter * step, load(gradient + f) * scale,
                                                work.place_offsets + listed,
                                                work.place_values + listed));
        }
      }
    }
    *begins = listed;
  }

  // For each filter the cells of its largest values; a vector of windows at a time.
  void list_filters(const Band& band, const Work& work) const {
    std::fill_n(work.filter_counts, filters, 0);
    for (int64_t w = 0; w < band.windows; w += LANES)
      for (int64_t f = 0; f < filters; f += LANES) list_filters(band, w, f, work);
  }

  void list_filters(const Band& band, int64_t w, int64_t f, const Work& work) const {
    const Vec scale = all(static_cast<float>(1 / (1 - drop)));
    const IntVec dead = all(int32_t{ConvForward::DEAD});
    Vec winners[LANES], gradients[LANES];
    for (int i = 0; i < LANES; ++i) {
      const bool real = w + i < band.windows;
      winners[i] = bit_cast<Vec>(real ? winner_of(band, w + i, f) : dead);
      gradients[i] = real ? load(band.gradient + work.gradient_at[w + i] + f) * scale : Vec{};
    }
    IntVec corners;
    std::memcpy(&corners, work.input_at + w, sizeof corners);
    transpose(winners);
    transpose(gradients);
    for (int i = 0; i < std::min<int64_t>(LANES, filters - f); ++i) {
      const IntVec winner = bit_cast<IntVec>(winners[i]);
      int32_t& count = work.filter_counts[f + i];
      const int64_t at = (f + i) * filter_step() + count;
      count += static_cast<int32_t>(append(winner < all(static_cast<int32_t>(window())),
                                           corners + cell_of(winner), gradients[i],
                                           work.filter_offsets + at, work.filter_values + at));
    }
  }

  // Where in a window the place of this number is.
  STRIATE_INLINE IntVec cell_of(IntVec place) const {
    const int32_t width = static_cast<int32_t>(pool_width);
    const IntVec row = place * (65536 / width + 1) >> 16;  // exact below 256
    return row * static_cast<int32_t>(input.row) +
           (place - row * width) * static_cast<int32_t>(input.pixel);
  }

  void add_weight_gradient(const float* image, const Work& work) const {
    add_sparse(kernel_height, divide_up(run_floats(), LANES), [&](const auto& visit) {
      for (int64_t f = 0; f < filters; ++f) {
        const int64_t at = f * filter_step();
        const Sparse gradients{work.filter_offsets + at, work.filter_values + at,
                               work.filter_counts[f]};
        if (gradients.count == 0) continue;
        for (int64_t run = 0; run < runs(); ++run)
          visit(SparseSum{gradients, image + run * input.pixel, input.row,
                          work.sums + f * kernel_height * row_floats() + run * run_step(),
                          row_floats()});
      }
    });
  }

  void add_input_gradient(const float* kernels, const Band& band, const Work& work) const {
    const int64_t row = spread_width() * near(), image = spread_height() * row;
    for (int64_t c = 0; c < channels; c += near())
      add_sparse(kernel_height, kernel_width * near() / LANES, [&](const auto& visit) {
        const int32_t* begins = work.place_begins;
        for (int64_t w = 0; w < band.windows; ++w)
          for (int64_t place = 0; place < window(); ++place, ++begins) {
            const Sparse gradients{work.place_offsets + begins[0], work.place_values + begins[0],
                                   begins[1] - begins[0]};
            if (gradients.count == 0) continue;
            visit(SparseSum{gradients, kernels + c * filters * taps(), kernel_width * near(),
                            band.input_gradient + c / near() * image + work.place_at[w] +
                                work.step_to[place],
                            row});
          }
      });
  }

  void store_input_gradient(float* to, const Work& work) const {
    const int64_t row = spread_width() * near(), image = spread_height() * row;
    const int64_t count = written(input_gradient, channels), real = round_up(channels, near());
    for (int64_t y = 0; y < in_height; ++y)
      for (int64_t x = 0; x < in_width; ++x) {
        const float* from = work.gradients + (y + pad_y) * row + (x + pad_x) * near();
        float* cell = to + y * input_gradient.row + x * input_gradient.pixel;
        for (int64_t c = 0; c < count; c += LANES)
          store_first(cell + c,
                      c < real ? load(from + c / near() * image + c % near()) : Vec{}, count - c);
      }
  }

  void store_weight_gradient(float* to, const Work& work) const {
    const int64_t step = close() ? input.pixel : run_step(), kernel = kernel_height * row_floats();
    for (int64_t tap = 0; tap < taps(); ++tap, to += channels * pixel())
      for (int64_t f = 0; f < filters; f += GROUP)
        transpose_group(work.sums + f * kernel + tap / kernel_width * row_floats() +
                            tap % kernel_width * step,
                        kernel, filters - f, GROUP, to + f, pixel(), channels);
  }

  // The windows of a sample, for the filters from `f` on.
  Windows windows(const Context& context, int64_t sample, int64_t f) const {
    return {context.at(output_gradient, sample) + f,
            context.at<uint8_t>(index, sample) + f,
            filters - f,
            output_gradient.row,
            output_gradient.pixel,
            pooled_width() * pixel(),
            pixel(),
            pooled_height(),
            pooled_width(),
            pool_height,
            pool_width,
            pool_stride_y,
            pool_stride_x};
  }

  void store_bias_gradient(const Context& context, Range range) const {
    const Vec scale = all(static_cast<float>(1 / (1 - drop)));
    for (int64_t f = 0; f < pixel(); f += LANES) {
      Vec total{};
      for (int64_t s = range.begin; s < range.end; ++s) total += sum_of(windows(context, s, f));
      store(context.at<float>(bias_gradient, range.slot) + f, total * scale);
    }
  }

  // The sum of all gradients of the windows.
  static Vec sum_of(const Windows& w) {
    Vec total{};
    for (int64_t y = 0; y < w.rows; ++y)
      for (int64_t x = 0; x < w.columns; ++x) {
        const Vec gradient =
            load_first(w.gradient + y * w.gradient_row + x * w.gradient_pixel, w.filters);
        const IntVec winner = load_index(w.index + y * w.index_row + x * w.index_pixel);
        total += winner < all(int32_t{ConvForward::DEAD}) ? gradient : Vec{};
      }
    return total;
  }

  // With few channels, vectors are taken over the filters instead.
  void run_masked(const Context& context, Range range) const {
    float* to = context.at<float>(weight_gradient, range.slot);
    std::fill_n(to, taps() * channels * pixel(), 0.0f);
    const float scale = static_cast<float>(1 / (1 - drop));
    const int64_t length = kernel_width * channels;
    for (int64_t s = range.begin; s < range.end; ++s)
      for (int64_t f = 0; f < filters; f += LANES)
        add_masked({windows(context, s, f), scale, context.at(input, s), input.row, input.pixel,
                    to + f, length * pixel(), pixel()},
                   kernel_height, length);
    if (given(bias_gradient)) store_bias_gradient(context, range);
  }
};

}  // namespace

Entries sparse_kernels() {
  return {entry<PackTaps>("pack_taps"), entry<ConvBackwardSparse>("conv_backward_sparse")};
}

}  // namespace striate
