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

// The master's taps, from [tap][channel][filter] to [group of channels][filter][tap][channel]: one
// gradient meets all taps of one vector of channels on its way.
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

  int64_t parts(int64_t) const override { return divide_up(channels, GROUP) * taps; }

  void run(const Context& context, Range range) const override {
    for (int64_t part = range.begin; part < range.end; ++part) {
      const int64_t tap = part % taps, channel = part / taps * GROUP;
      const float* from =
          context.at<float>(master) + (tap * channels + channel) * round_up(filters, GROUP);
      float* to = context.at<float>(packed) + channel * filters * taps + tap * GROUP;
      for (int64_t f = 0; f < filters; ++f)
        for (int64_t c = 0; c < GROUP; ++c)
          to[f * taps * GROUP + c] =
              c < channels - channel ? from[c * round_up(filters, GROUP) + f] : 0.0f;
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
  bool close() const { return input.pixel <= round_up(channels, GROUP); }
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
  int64_t spread_height() const {
    return std::max(in_height + pad_y, height + kernel_height - 1);
  }
  int64_t spread_width() const { return std::max(in_width + pad_x, width + kernel_width - 1); }

  struct Work {
    float* sums;       // [filter][kernel row][run], of the weights' gradient
    float* gradients;  // [group of channels][row][column][channel], of the input
    int32_t* filter_offsets;  // [filter][window]: the input's cell of each gradient
    float* filter_values;
    int32_t* filter_counts;
    int32_t* place_offsets;  // [window][place][...]: the kernel of each gradient
    float* place_values;
    int32_t* place_begins;  // [window][place], in the lists above
    int64_t bytes;

    Work(const ConvBackwardSparse& conv, char* begin) {
      const int64_t windows = conv.band() * conv.pooled_width();
      const int64_t entries = windows * conv.filters + GROUP;
      Share share(begin);
      sums = share.take<float>(conv.filters * conv.kernel_height * conv.row_floats());
      gradients = share.take<float>(
          given(conv.input_gradient)
              ? round_up(conv.channels, GROUP) * conv.spread_height() * conv.spread_width()
              : 0);
      filter_offsets = share.take<int32_t>(entries);
      filter_values = share.take<float>(entries);
      filter_counts = share.take<int32_t>(conv.filters);
      place_offsets = share.take<int32_t>(entries);
      place_values = share.take<float>(entries);
      place_begins = share.take<int32_t>(windows * conv.window() + 1);
      bytes = share.bytes();
    }
  };

  void run_sparse(const Context& context, Range range) const {
    Work work(*this, context.scratch);
    std::fill_n(work.sums, filters * kernel_height * row_floats(), 0.0f);
    for (int64_t s = range.begin; s < range.end; ++s) {
      if (given(input_gradient))
        std::fill_n(work.gradients,
                    round_up(channels, GROUP) * spread_height() * spread_width(), 0.0f);
      for (int64_t y = 0; y < pooled_height(); y += band()) {
        const int64_t end = std::min(pooled_height(), y + band());
        list(context, s, y, end, work);
        add_weight_gradient(context.at(input, s), work);
        if (given(input_gradient)) add_input_gradient(context, y, end, work);
      }
      if (given(input_gradient)) store_input_gradient(context.at(input_gradient, s), work);
    }
    store_weight_gradient(context.at<float>(weight_gradient, range.slot), work);
    if (given(bias_gradient)) store_bias_gradient(context, range);
  }

  // Lists the gradients of some rows of windows: by filter and by place.
  void list(const Context& context, int64_t sample, int64_t begin, int64_t end, Work& work) const {
    const float scale = static_cast<float>(1 / (1 - drop));
    const int64_t most = band() * pooled_width();
    int32_t places[256] = {};
    for (int64_t i = 0; i < window(); ++i)
      places[i] = static_cast<int32_t>(i / pool_width * input.row + i % pool_width * input.pixel);
    std::fill_n(work.filter_counts, filters, 0);
    int32_t listed = 0;
    int32_t* begins = work.place_begins;
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < pooled_width(); ++x) {
        const uint8_t* winners =
            context.at<uint8_t>(index, sample) + (y * pooled_width() + x) * pixel();
        const float* gradient = context.at(output_gradient, sample) + y * output_gradient.row +
                                x * output_gradient.pixel;
        const int32_t corner = static_cast<int32_t>(y * pool_stride_y * input.row +
                                                    x * pool_stride_x * input.pixel);
        for (int64_t f = 0; f < filters; ++f) {
          const int64_t at = f * most + work.filter_counts[f];
          work.filter_offsets[at] = corner + places[winners[f]];
          work.filter_values[at] = gradient[f] * scale;
          work.filter_counts[f] += winners[f] < window();
        }
        if (!given(input_gradient)) continue;
        for (int64_t place = 0; place < window(); ++place) {
          *begins++ = listed;
          for (int64_t f = 0; f < filters; ++f) {
            work.place_offsets[listed] = static_cast<int32_t>(f * taps() * GROUP);
            work.place_values[listed] = gradient[f] * scale;
            listed += winners[f] == place;
          }
        }
      }
    *begins = listed;
  }

  void add_weight_gradient(const float* image, const Work& work) const {
    const int64_t most = band() * pooled_width();
    for (int64_t f = 0; f < filters; ++f) {
      const Sparse gradients{work.filter_offsets + f * most, work.filter_values + f * most,
                             work.filter_counts[f]};
      if (gradients.count == 0) continue;
      for (int64_t run = 0; run < runs(); ++run)
        add_sparse({gradients, image + run * input.pixel, input.row,
                    work.sums + f * kernel_height * row_floats() + run * run_step(), row_floats()},
                   kernel_height, divide_up(run_floats(), LANES));
    }
  }

  void add_input_gradient(const Context& context, int64_t begin, int64_t end,
                          const Work& work) const {
    const int64_t row = spread_width() * GROUP, image = spread_height() * row;
    for (int64_t c = 0; c < round_up(channels, GROUP); c += GROUP) {
      const float* kernels = context.at<float>(weight) + c * filters * taps();
      const int32_t* begins = work.place_begins;
      for (int64_t y = begin; y < end; ++y)
        for (int64_t x = 0; x < pooled_width(); ++x)
          for (int64_t place = 0; place < window(); ++place, ++begins) {
            if (begins[0] == begins[1]) continue;
            const int64_t at = (y * pool_stride_y + place / pool_width) * row +
                               (x * pool_stride_x + place % pool_width) * GROUP;
            add_sparse({{work.place_offsets + begins[0], work.place_values + begins[0],
                         begins[1] - begins[0]},
                        kernels, kernel_width * GROUP, work.gradients + c / GROUP * image + at, row},
                       kernel_height, kernel_width * VECTORS_PER_GROUP);
          }
    }
  }

  void store_input_gradient(float* to, const Work& work) const {
    const int64_t row = spread_width() * GROUP, image = spread_height() * row;
    const int64_t count = written(input_gradient, channels);
    for (int64_t y = 0; y < in_height; ++y)
      for (int64_t x = 0; x < in_width; ++x) {
        const float* from = work.gradients + (y + pad_y) * row + (x + pad_x) * GROUP;
        float* cell = to + y * input_gradient.row + x * input_gradient.pixel;
        for (int64_t c = 0; c < count; c += LANES)
          store_first(cell + c, load(from + c / GROUP * image + c % GROUP), count - c);
      }
  }

  void store_weight_gradient(float* to, const Work& work) const {
    const int64_t step = close() ? input.pixel : run_step();
    for (int64_t tap = 0; tap < taps(); ++tap)
      for (int64_t c = 0; c < channels; ++c, to += pixel()) {
        const float* from = work.sums + tap / kernel_width * row_floats() +
                            tap % kernel_width * step + c;
        std::fill(to + filters, to + pixel(), 0.0f);
        for (int64_t f = 0; f < filters; ++f) to[f] = from[f * kernel_height * row_floats()];
      }
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
      for (int64_t f = 0; f < pixel(); f += LANES)
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
