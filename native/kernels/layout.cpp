// Moving numbers about: copies between layouts, concatenation, repetition, transposition, zeros.
#include <algorithm>
#include <array>
#include <utility>

#include "../transpose.h"
#include "families.h"
#include "pointwise.h"

namespace striate {
namespace {

// A channel range of an image with more channels may begin in the middle of a group; it ends with
// the group that its last channel is in.
int64_t into_group(const View& view) { return padded(view) ? view.origin % GROUP : 0; }

View from_group(View view) {
  view.origin -= into_group(view);
  return view;
}

void check_range(const Check& c, const char* name, const View& view, int64_t height, int64_t width,
                 int64_t channels) {
  c.that(view.origin >= 0, "a channel range begins before its buffer");
  c.between("channels", channels, 0, int64_t{1} << 31);
  const View whole = from_group(view);
  c.holds(name, whole, height, width, channels + into_group(view), c.batch());
}

void check_repeats(const Check& c, int64_t repeat_y, int64_t repeat_x) {
  c.between("repeat_y", repeat_y, 1, 1 << 10);
  c.between("repeat_x", repeat_x, 1, 1 << 10);
}

// The cell (y, x) of the output is cell (y / repeat_y, x / repeat_x) of the input, which has this
// height and width; `add`: it is added to what is there. Both images may be channel ranges of
// others: the output's last group is filled up with zeros, so ranges are written in rising order.
struct Copy final : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1, repeat_y = 1, repeat_x = 1, add = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
    v("repeat_y", repeat_y), v("repeat_x", repeat_x), v("add", add);
  }

  void check(const Check& c) const override {
    check_repeats(c, repeat_y, repeat_x);
    check_range(c, "input", input, height, width, channels);
    check_range(c, "output", output, height * repeat_y, width * repeat_x, channels);
  }

  void run(const Context& context, Range range) const override {
    const bool plain = repeat_y * repeat_x == 1 && into_group(output) == 0;
    for (int64_t i = range.begin; i < range.end; ++i)
      if (plain)
        each_number(
            context, i, {height, width, channels},
            [&](Part part, Line from, Line to) __attribute__((always_inline)) {
              to.put(part, add ? to.get(part) + from.get(part) : from.get(part));
            },
            input, output);
      else
        each_cell(context, i);
  }

 private:
  void each_cell(const Context& context, int64_t sample) const {
    for (int64_t y = 0; y < height * repeat_y; ++y)
      for (int64_t x = 0; x < width * repeat_x; ++x) {
        const float* from = context.at(input, sample) + y / repeat_y * input.row +
                            x / repeat_x * input.pixel;
        cell(from, context.at(output, sample) + y * output.row + x * output.pixel);
      }
  }

  void cell(const float* from, float* to) const {
    const int64_t before = into_group(output);
    const int64_t room = padded(output) ? round_up(before + channels, GROUP) - before : channels;
    for (int64_t k = 0; k < room; k += LANES) {
      const Vec v = load_first(from + k, channels - k);
      store_first(to + k, add ? load_first(to + k, channels - k) + v : v, room - k);
    }
  }
};

// Each cell of the output, of this height and width, is the sum of the repeat_y x repeat_x cells of
// the input that it was copied to.
struct SumRepeat final : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1, repeat_y = 1, repeat_x = 1;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
    v("repeat_y", repeat_y), v("repeat_x", repeat_x);
  }

  void check(const Check& c) const override {
    check_repeats(c, repeat_y, repeat_x);
    c.holds("output", output, height, width, channels, c.batch());
    c.holds("input", input, height * repeat_y, width * repeat_x, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) cell(context, i, y, x);
  }

 private:
  void cell(const Context& context, int64_t sample, int64_t y, int64_t x) const {
    const float* from = context.at(input, sample) + y * repeat_y * input.row +
                        x * repeat_x * input.pixel;
    const Line to{context.at(output, sample) + y * output.row + x * output.pixel, padded(output)};
    each_part(channels, to.padded, [&](Part part) {
      Vec total{};
      for (int64_t v = 0; v < repeat_y; ++v)
        for (int64_t h = 0; h < repeat_x; ++h)
          total += load_first(from + v * input.row + h * input.pixel + part.at, part.count);
      to.put(part, total);
    });
  }
};

// The axes of the input, of this height, width and channels, in another order. The orders are the
// permutations of (height, width, channels) in rising order: 0 is HWC, 1 HCW, 2 WHC, 3 WCH, 4 CHW,
// 5 CWH.
struct Permute final : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1, order = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels), v("order", order);
  }

  void check(const Check& c) const override {
    c.between("order", order, 0, 5);
    c.holds("input", input, height, width, channels, c.batch());
    const Axes to = ordered({height, width, channels});
    c.holds("output", output, to[0], to[1], to[2], c.batch());
  }

  void run(const Context& context, Range range) const override {
    const Axes size = ordered({height, width, channels});
    const Axes step = ordered({input.row, input.pixel, 1});
    for (int64_t i = range.begin; i < range.end; ++i) {
      move(context.at(input, i), context.at(output, i), size, step);
      end_groups(context.at(output, i), size);
    }
  }

 private:
  using Axes = std::array<int64_t, 3>;

  Axes ordered(const Axes& axes) const {
    constexpr size_t ORDERS[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const auto& of = ORDERS[order];
    return {axes[of[0]], axes[of[1]], axes[of[2]]};
  }

  // The size and the steps in the input are in the order of the output.
  void move(const float* from, float* to, const Axes& size, const Axes& step) const {
    const Axes out{output.row, output.pixel, 1};
    if (channels_stay_last()) {
      for (int64_t a = 0; a < size[0]; ++a)
        for (int64_t b = 0; b < size[1]; ++b)
          std::copy_n(from + a * step[0] + b * step[1], size[2], to + a * out[0] + b * out[1]);
      return;
    }
    // The channels and the output's last axis change places, for each place on the third axis: at
    // once where that and one of the two are one axis in both images.
    const size_t channel = order == 1 || order == 3 ? 1 : 0, other = 1 - channel;
    int64_t times = size[other], rows = size[2], columns = size[channel];
    if (step[other] == rows * step[2] && out[other] == rows)
      rows *= std::exchange(times, 1);
    else if (step[other] == columns && out[other] == columns * out[channel])
      columns *= std::exchange(times, 1);
    for (int64_t t = 0; t < times; ++t)
      striate_transpose(from + t * step[other], step[2], rows, to + t * out[other], out[channel],
                        columns);
  }

  bool channels_stay_last() const { return order == 0 || order == 2; }

  void end_groups(float* to, const Axes& size) const {
    const int64_t end = written(output, size[2]);
    if (end == size[2]) return;
    for (int64_t a = 0; a < size[0]; ++a)
      for (int64_t b = 0; b < size[1]; ++b) {
        float* cell = to + a * output.row + b * output.pixel;
        std::fill(cell + size[2], cell + end, 0.0f);
      }
  }
};

struct Zero final : Kernel {
  View output;
  Int height = 1, width = 1, channels = 1;

  template <class V>
  void visit(V& v) {
    v("output", output), v("height", height), v("width", width), v("channels", channels);
  }

  void check(const Check& c) const override {
    c.holds("output", output, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      each_number(
          context, i, {height, width, channels},
          [](Part part, Line to) __attribute__((always_inline)) { to.put(part, Vec{}); }, output);
  }
};

}  // namespace

Entries layout_kernels() {
  return {entry<Copy>("copy"), entry<SumRepeat>("sum_repeat"), entry<Permute>("permute"),
          entry<Zero>("zero")};
}

}  // namespace striate
