// Pooling over windows and over whole images, and the gradients of both.
#include <algorithm>

#include "../math.h"
#include "families.h"
#include "pointwise.h"

namespace striate {
namespace {

enum Kind : Int { MAXIMUM = 1, AVERAGE = 2, AVERAGE_WITH_PADDING = 3 };

// The cells of one axis that a place's window has: tap t reads cell first + t * dilation.
struct Window {
  Window(int64_t place, int64_t stride, int64_t pad, int64_t kernel, int64_t dilation, int64_t size)
      : first(place * stride - pad),
        begin(first < 0 ? divide_up(-first, dilation) : 0),
        end(taps_before(size, kernel, dilation)) {}
  // Most windows are inside: no division for them.
  int64_t taps_before(int64_t size, int64_t kernel, int64_t dilation) const {
    if (first + (kernel - 1) * dilation < size) return kernel;
    return first < size ? std::min(kernel, divide_up(size - first, dilation)) : 0;
  }
  int64_t taps() const { return std::max<int64_t>(end - begin, 0); }

  int64_t first, begin, end;
};

// What a pool and its backward have in common. Tap (ky, kx) of place (oy, ox) is cell
// (oy * stride_y - pad_y + ky * dilation_y, ...); cells outside of the image do not count, except
// in the divisor of AVERAGE_WITH_PADDING. `index`: of a maximum, the number ky * kernel_width + kx
// of the tap that it came from, per sample [height][width][channels rounded up to 16].
struct Pooling : Kernel {
  Int in_height = 1, in_width = 1, channels = 1;
  Int height = 1, width = 1, kind = MAXIMUM, kernel_height = 1, kernel_width = 1;
  Int stride_y = 1, stride_x = 1, pad_y = 0, pad_x = 0, dilation_y = 1, dilation_x = 1;
  Ref index;

  template <class V>
  void visit(V& v) {
    v("in_height", in_height), v("in_width", in_width), v("channels", channels);
    v("height", height), v("width", width);
    v("kind", kind), v("kernel_height", kernel_height), v("kernel_width", kernel_width);
    v("stride_y", stride_y), v("stride_x", stride_x), v("pad_y", pad_y), v("pad_x", pad_x);
    v("dilation_y", dilation_y), v("dilation_x", dilation_x), v("index", index);
  }

  void check_geometry(const Check& c) const {
    constexpr int64_t LARGE = 1 << 20;
    c.between("kind", kind, MAXIMUM, AVERAGE_WITH_PADDING);
    for (int64_t size : {in_height, in_width, channels, height, width, kernel_height, kernel_width,
                         stride_y, stride_x, dilation_y, dilation_x})
      c.that(size >= 1 && size <= LARGE, "a size of a pool is below 1 or too large");
    for (int64_t pad : {pad_y, pad_x})
      c.that(pad >= 0 && pad <= LARGE, "a padding of a pool is negative or too large");
    if (given(index)) {
      c.that(kernel_height * kernel_width <= 256, "a window has more taps than a byte has numbers");
      c.holds("index", index, height * width * pixel(), c.batch());
    }
  }

 protected:
  int64_t pixel() const { return round_up(channels, GROUP); }
  uint8_t* index_at(const Context& context, int64_t sample, int64_t y, int64_t x) const {
    return context.at<uint8_t>(index, sample) + (y * width + x) * pixel();
  }
  Window rows(int64_t y) const {
    return {y, stride_y, pad_y, kernel_height, dilation_y, in_height};
  }
  Window columns(int64_t x) const {
    return {x, stride_x, pad_x, kernel_width, dilation_x, in_width};
  }
  float share(const Window& row, const Window& column) const {
    const int64_t cells = kind == AVERAGE ? std::max<int64_t>(row.taps() * column.taps(), 1)
                                          : kernel_height * kernel_width;
    return 1 / static_cast<float>(cells);
  }
};

struct Pool final : Pooling {
  View input, output;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    Pooling::visit(v);
  }

  void check(const Check& c) const override {
    check_geometry(c);
    c.holds("input", input, in_height, in_width, channels, c.batch());
    c.holds("output", output, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) place(context, i, y, x);
  }

 private:
  void place(const Context& context, int64_t sample, int64_t y, int64_t x) const {
    const Window row = rows(y), column = columns(x);
    const float* from = context.at(input, sample);
    const Line to{context.at(output, sample) + y * output.row + x * output.pixel, padded(output)};
    uint8_t* winners = given(index) ? index_at(context, sample, y, x) : nullptr;
    each_part(channels, true, [&](Part part) __attribute__((always_inline)) {
      if (kind != MAXIMUM)
        to.put(part, sum(from, part, row, column) * share(row, column));
      else
        to.put(part, maximum(from, part, row, column, winners));
    });
  }

  template <class F>
  STRIATE_INLINE void each_tap(const float* from, Part part, const Window& row,
                               const Window& column, const F& f) const {
    for (int64_t ky = row.begin; ky < row.end; ++ky)
      for (int64_t kx = column.begin; kx < column.end; ++kx) {
        const float* cell = from + (row.first + ky * dilation_y) * input.row +
                            (column.first + kx * dilation_x) * input.pixel;
        f(static_cast<int32_t>(ky * kernel_width + kx), load_first(cell + part.at, part.count));
      }
  }

  STRIATE_INLINE Vec sum(const float* from, Part part, const Window& row,
                         const Window& column) const {
    Vec total{};
    each_tap(from, part, row, column, [&](int32_t, Vec v) { total += v; });
    return total;
  }

  // The first of equal ones wins; what is no number wins over all.
  STRIATE_INLINE Vec maximum(const float* from, Part part, const Window& row,
                             const Window& column, uint8_t* winners) const {
    Vec best = all(-__builtin_inff());
    IntVec winner{};
    each_tap(from, part, row, column, [&](int32_t tap, Vec v) {
      const IntVec wins = (v > best) | (v != v);
      best = select(wins, v, best);
      winner = wins ? all(tap) : winner;
    });
    if (winners != nullptr) store_bytes(winners + part.at, winner);
    return best;
  }
};

// The gradient of the input, written for every cell of it. A maximum needs its index; the
// input and the output are not read.
struct PoolBackward final : Pooling {
  View output_gradient, input_gradient;

  template <class V>
  void visit(V& v) {
    v("output_gradient", output_gradient), v("input_gradient", input_gradient);
    Pooling::visit(v);
  }

  void check(const Check& c) const override {
    check_geometry(c);
    c.that(kind != MAXIMUM || given(index), "the gradient of a maximum needs its index");
    c.holds("output_gradient", output_gradient, height, width, channels, c.batch());
    c.holds("input_gradient", input_gradient, in_height, in_width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < in_height; ++y) row(context, i, y);
  }

 private:
  // One row of cells: zero, then what the windows that reach it give.
  void row(const Context& context, int64_t sample, int64_t cell_y) const {
    float* to = context.at(input_gradient, sample) + cell_y * input_gradient.row;
    for (int64_t x = 0; x < in_width; ++x) {
      const Line cell{to + x * input_gradient.pixel, padded(input_gradient)};
      each_part(channels, cell.padded, [&](Part part) { cell.put(part, Vec{}); });
    }
    const int64_t above = cell_y + pad_y;
    for (int64_t ky = 0; ky < kernel_height && ky * dilation_y <= above; ++ky) {
      const int64_t start = above - ky * dilation_y;
      if (start % stride_y == 0 && start / stride_y < height)
        taps(context, sample, to, start / stride_y, ky);
    }
  }

  void taps(const Context& context, int64_t sample, float* to, int64_t y, int64_t ky) const {
    const Window window = rows(y);
    const float* from = context.at(output_gradient, sample) + y * output_gradient.row;
    for (int64_t x = 0; x < width; ++x) {
      const Window column = columns(x);
      const float* place = from + x * output_gradient.pixel;
      const uint8_t* winners = kind == MAXIMUM ? index_at(context, sample, y, x) : nullptr;
      const float part_of_each = kind == MAXIMUM ? 1 : share(window, column);
      float* cells = to + column.first * input_gradient.pixel;
      each_part(channels, false, [&](Part part) __attribute__((always_inline)) {
        const Vec gradient = load_first(place + part.at, part.count) * part_of_each;
        const IntVec winner = winners == nullptr ? IntVec{} : load_index(winners + part.at);
        for (int64_t kx = column.begin; kx < column.end; ++kx) {
          const Line cell{cells + kx * dilation_x * input_gradient.pixel, false};
          const int32_t tap = static_cast<int32_t>(ky * kernel_width + kx);
          const IntVec takes = winners == nullptr ? all(-1) : winner == tap;
          cell.put(part, cell.get(part) + select(takes, gradient, Vec{}));
        }
      });
    }
  }
};

// One value for all places of an image: the maximum or the mean.
struct GlobalPooling : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1, kind = MAXIMUM;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels), v("kind", kind);
  }

  void check_forward(const Check& c) const {
    c.between("kind", kind, MAXIMUM, AVERAGE);
    c.that(height >= 1 && width >= 1, "an image has no places");
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output", output, 1, 1, channels, c.batch());
  }

 protected:
  // Calls f(values) for this part of all places.
  template <class F>
  STRIATE_INLINE void each_place(const float* from, Part part, const F& f) const {
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        f(load_first(from + y * input.row + x * input.pixel + part.at, part.count), y, x);
  }
  float places() const { return static_cast<float>(height * width); }
};

struct GlobalPool final : GlobalPooling {
  void check(const Check& c) const override { check_forward(c); }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i) {
      const Line to{context.at(output, i), padded(output)};
      const float* from = context.at(input, i);
      each_part(channels, to.padded, [&](Part part) { to.put(part, value(from, part)); });
    }
  }

 private:
  Vec value(const float* from, Part part) const {
    Vec total = kind == MAXIMUM ? all(-__builtin_inff()) : Vec{};
    if (kind == MAXIMUM)
      each_place(from, part, [&](Vec v, int64_t, int64_t) {
        total = select((v > total) | (v != v), v, total);
      });
    else
      each_place(from, part, [&](Vec v, int64_t, int64_t) { total += v; });
    return kind == MAXIMUM ? total : total / places();
  }
};

// The mean's gradient goes to all places, the maximum's to those that have it, in equal shares.
struct GlobalPoolBackward final : GlobalPooling {
  View output_gradient, input_gradient;

  template <class V>
  void visit(V& v) {
    GlobalPooling::visit(v);
    v("output_gradient", output_gradient), v("input_gradient", input_gradient);
  }

  void check(const Check& c) const override {
    check_forward(c);
    c.holds("output_gradient", output_gradient, 1, 1, channels, c.batch());
    c.holds("input_gradient", input_gradient, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      each_part(channels, padded(input_gradient), [&](Part part) { write(context, i, part); });
  }

 private:
  void write(const Context& context, int64_t sample, Part part) const {
    const float* from = context.at(input, sample);
    const Vec gradient = load_first(context.at(output_gradient, sample) + part.at, part.count);
    const Vec best = load_first(context.at(output, sample) + part.at, part.count);
    Vec count = all(kind == MAXIMUM ? 0.0f : places());
    if (kind == MAXIMUM)
      each_place(from, part, [&](Vec v, int64_t, int64_t) {
        count += select(v == best, all(1.0f), Vec{});
      });
    const Vec share = gradient / count;
    each_place(from, part, [&](Vec v, int64_t y, int64_t x) {
      const View& to = input_gradient;
      const Line cell{context.at(to, sample) + y * to.row + x * to.pixel, padded(to)};
      cell.put(part, kind == MAXIMUM ? select(v == best, share, Vec{}) : share);
    });
  }
};

}  // namespace

Entries pool_kernels() {
  return {entry<Pool>("pool"), entry<PoolBackward>("pool_backward"),
          entry<GlobalPool>("global_pool"), entry<GlobalPoolBackward>("global_pool_backward")};
}

}  // namespace striate
