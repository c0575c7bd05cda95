// Two images combined number by number.
#include "../math.h"
#include "families.h"
#include "pointwise.h"

namespace striate {
namespace {

struct Slopes {
  Vec left, right;
};

// A way to combine has `value(l, r)` and `slopes(l, r)`. Of two equal ones, each is half of the
// maximum and of the minimum.
struct Add {
  static Vec value(Vec l, Vec r) { return l + r; }
  static Slopes slopes(Vec, Vec) { return {all(1.0f), all(1.0f)}; }
};
struct Subtract {
  static Vec value(Vec l, Vec r) { return l - r; }
  static Slopes slopes(Vec, Vec) { return {all(1.0f), all(-1.0f)}; }
};
struct Multiply {
  static Vec value(Vec l, Vec r) { return l * r; }
  static Slopes slopes(Vec l, Vec r) { return {r, l}; }
};
struct Average {
  static Vec value(Vec l, Vec r) { return 0.5f * (l + r); }
  static Slopes slopes(Vec, Vec) { return {all(0.5f), all(0.5f)}; }
};
struct Maximum {
  static Vec value(Vec l, Vec r) { return select((l > r) | (l != l), l, r); }
  static Slopes slopes(Vec l, Vec r) {
    const Vec left = select(l > r, all(1.0f), select(l == r, all(0.5f), Vec{}));
    return {left, 1 - left};
  }
};
struct Minimum {
  static Vec value(Vec l, Vec r) { return select((l < r) | (l != l), l, r); }
  static Slopes slopes(Vec l, Vec r) { return Maximum::slopes(r, l); }
};

constexpr Int KINDS = 6;

template <class Use>
void with_kind(Int kind, const Use& use) {
  switch (kind) {
    case 1: return use(Add{});
    case 2: return use(Subtract{});
    case 3: return use(Multiply{});
    case 4: return use(Average{});
    case 5: return use(Maximum{});
    case 6: return use(Minimum{});
  }
}

struct Merging : Kernel {
  Int kind = 1;
  View left, right;
  Int height = 1, width = 1, channels = 1;

 protected:
  // An image, or one value for all its places.
  void check_image(const Check& c, const char* name, const View& view) const {
    const bool one = spread(view);
    c.holds(name, view, one ? 1 : height, one ? 1 : width, channels, c.batch());
  }
  void check_inputs(const Check& c) const {
    c.between("kind", kind, 1, KINDS);
    check_image(c, "left", left);
    check_image(c, "right", right);
  }
};

struct Merge final : Merging {
  View output;

  template <class V>
  void visit(V& v) {
    v("kind", kind), v("left", left), v("right", right), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
  }

  void check(const Check& c) const override {
    check_inputs(c);
    c.holds("output", output, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    with_kind(kind, [&](auto how) {
      for (int64_t i = range.begin; i < range.end; ++i)
        each_number(
            context, i, {height, width, channels},
            [&](Part part, Line l, Line r, Line to) __attribute__((always_inline)) {
              to.put(part, how.value(l.get(part), r.get(part)));
            },
            left, right, output);
    });
  }
};

// The gradients of both sides, or of the one that is given. That of one value for all places is the
// sum over them.
struct MergeBackward final : Merging {
  View output_gradient, left_gradient, right_gradient;

  template <class V>
  void visit(V& v) {
    v("kind", kind), v("left", left), v("right", right), v("output_gradient", output_gradient);
    v("left_gradient", left_gradient), v("right_gradient", right_gradient);
    v("height", height), v("width", width), v("channels", channels);
  }

  void check(const Check& c) const override {
    check_inputs(c);
    c.holds("output_gradient", output_gradient, height, width, channels, c.batch());
    if (given(left_gradient)) check_image(c, "left_gradient", left_gradient);
    if (given(right_gradient)) check_image(c, "right_gradient", right_gradient);
  }

  void run(const Context& context, Range range) const override {
    with_kind(kind, [&](auto how) {
      for (int64_t i = range.begin; i < range.end; ++i) {
        if (given(left_gradient))
          side(context, i, left_gradient, [&](Vec l, Vec r) { return how.slopes(l, r).left; });
        if (given(right_gradient))
          side(context, i, right_gradient, [&](Vec l, Vec r) { return how.slopes(l, r).right; });
      }
    });
  }

 private:
  template <class Slope>
  void side(const Context& context, int64_t sample, const View& to, const Slope& slope) const {
    if (spread(to) && height * width > 1) return sum(context, sample, to, slope);
    each_number(
        context, sample, {height, width, channels},
        [&](Part part, Line l, Line r, Line dy, Line out) __attribute__((always_inline)) {
          out.put(part, dy.get(part) * slope(l.get(part), r.get(part)));
        },
        left, right, output_gradient, to);
  }

  template <class Slope>
  void sum(const Context& context, int64_t sample, const View& to, const Slope& slope) const {
    const Line out{context.at(to, sample), padded(to)};
    each_part(channels, out.padded, [&](Part part) {
      const auto get = [&](const View& view, int64_t y, int64_t x) {
        const float* cell = context.at(view, sample) + y * view.row + x * view.pixel;
        return load_first(cell + part.at, part.count);
      };
      Vec total{};
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x)
          total += get(output_gradient, y, x) * slope(get(left, y, x), get(right, y, x));
      out.put(part, total);
    });
  }
};

}  // namespace

Entries merge_kernels() {
  return {entry<Merge>("merge"), entry<MergeBackward>("merge_backward")};
}

}  // namespace striate
