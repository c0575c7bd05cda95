// Functions of each number by itself, and their derivatives.
#include "pointwise.h"

#include "../math.h"
#include "families.h"

namespace striate {
namespace {

constexpr float SELU_SCALE = 1.0507009873554805f, SELU_ALPHA = 1.6732632423543773f;
constexpr float ROOT_HALF = 0.70710678118654752f, ROOT_TWO_OVER_PI = 0.79788456080286536f;
constexpr float GELU_CUBE = 0.044715f;

// A function has `value(x)` and `slope(x, y)`, the derivative at x, where y is the value. Those
// that need y alone, see with_function, may be given it as x too.
struct Function {
  float a, b;
};

struct Relu : Function {
  Vec value(Vec x) const { return max(x, Vec{}); }
  Vec slope(Vec, Vec y) const { return select(y > 0, all(1.0f), Vec{}); }
};
struct Leaky : Function {
  Vec value(Vec x) const { return select(x > 0, x, a * x); }
  Vec slope(Vec x, Vec) const { return select(x > 0, all(1.0f), all(a)); }
};
struct Clipped : Function {  // between 0 and a; b * x below
  Vec value(Vec x) const { return select(x > 0, min(all(a), x), b * x); }
  Vec slope(Vec x, Vec) const { return select(x > 0, select(x < a, all(1.0f), Vec{}), all(b)); }
};
struct Elu : Function {
  Vec value(Vec x) const { return select(x > 0, x, a * expm1(min(Vec{}, x))); }
  Vec slope(Vec x, Vec y) const { return select(x > 0, all(1.0f), y + a); }
};
struct Selu : Function {
  Vec value(Vec x) const {
    return SELU_SCALE * select(x > 0, x, SELU_ALPHA * expm1(min(Vec{}, x)));
  }
  Vec slope(Vec x, Vec y) const {
    return select(x > 0, all(SELU_SCALE), y + SELU_SCALE * SELU_ALPHA);
  }
};
struct Sigmoid : Function {
  Vec value(Vec x) const { return sigmoid(x); }
  Vec slope(Vec, Vec y) const { return y * (1 - y); }
};
struct Tanh : Function {
  Vec value(Vec x) const { return tanh(x); }
  Vec slope(Vec, Vec y) const { return 1 - y * y; }
};
struct Softplus : Function {
  Vec value(Vec x) const { return softplus(x); }
  Vec slope(Vec x, Vec) const { return sigmoid(x); }
};
struct Softsign : Function {
  Vec value(Vec x) const { return x / (1 + abs(x)); }
  Vec slope(Vec x, Vec) const {
    const Vec below = 1 + abs(x);
    return 1 / (below * below);
  }
};
struct Exponent : Function {
  Vec value(Vec x) const { return exp(x); }
  Vec slope(Vec, Vec y) const { return y; }
};
struct Gelu : Function {  // x times the normal distribution's share below x
  static Vec share(Vec x) { return 0.5f * (1 + erf(x * ROOT_HALF)); }
  Vec value(Vec x) const { return x * share(x); }
  Vec slope(Vec x, Vec) const {
    return share(x) + x * exp(-0.5f * x * x) * (0.5f * ROOT_TWO_OVER_PI);
  }
};
struct GeluTanh : Function {
  static Vec bend(Vec x) { return tanh(ROOT_TWO_OVER_PI * (x + GELU_CUBE * x * x * x)); }
  Vec value(Vec x) const { return 0.5f * x * (1 + bend(x)); }
  Vec slope(Vec x, Vec) const {
    const Vec t = bend(x);
    const Vec inner = ROOT_TWO_OVER_PI * (1 + 3 * GELU_CUBE * x * x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * inner;
  }
};
struct Silu : Function {
  Vec value(Vec x) const { return x * sigmoid(x); }
  Vec slope(Vec x, Vec) const {
    const Vec s = sigmoid(x);
    return s * (1 + x * (1 - s));
  }
};
struct Mish : Function {  // x * tanh(softplus(x))
  // With e = exp(x), tanh(log(1 + e)) = n / (n + 2), n = e * (e + 2); 1 in float from x = 20 on.
  static Vec bend(Vec x) {
    const Vec e = exp(min(all(20.0f), x));
    const Vec n = e * (e + 2);
    return n / (n + 2);
  }
  Vec value(Vec x) const { return x * bend(x); }
  Vec slope(Vec x, Vec) const {
    const Vec t = bend(x);
    return t + x * (1 - t * t) * sigmoid(x);
  }
};
struct HardSigmoid : Function {
  Vec value(Vec x) const { return min(all(1.0f), max(Vec{}, (x + 3) / 6)); }
  Vec slope(Vec x, Vec) const { return select((x > -3) & (x < 3), all(1.0f / 6), Vec{}); }
};
struct HardSilu : Function {
  Vec value(Vec x) const { return x * min(all(1.0f), max(Vec{}, (x + 3) / 6)); }
  Vec slope(Vec x, Vec) const {
    return select(x > -3, select(x < 3, x / 3 + 0.5f, all(1.0f)), Vec{});
  }
};
struct Straight : Function {
  Vec value(Vec x) const { return fma(x, all(a), all(b)); }
  Vec slope(Vec, Vec) const { return all(a); }
};
struct Absolute : Function {
  Vec value(Vec x) const { return abs(x); }
  Vec slope(Vec x, Vec) const { return select(x == 0, Vec{}, with_sign(all(1.0f), x)); }
};
struct Square : Function {
  Vec value(Vec x) const { return x * x; }
  Vec slope(Vec x, Vec) const { return 2 * x; }
};
struct Root : Function {
  Vec value(Vec x) const { return sqrt(x); }
  Vec slope(Vec, Vec y) const { return 0.5f / y; }
};
struct Negative : Function {
  Vec value(Vec x) const { return -x; }
  Vec slope(Vec, Vec) const { return all(-1.0f); }
};

constexpr Int FUNCTIONS = 21;

// Calls use(function) with the function of this number. Of y alone: 1, 6, 7, 10, 17, 20, 21.
template <class Use>
void with_function(Int number, float a, float b, const Use& use) {
  switch (number) {
    case 1: return use(Relu{{a, b}});
    case 2: return use(Leaky{{a, b}});
    case 3: return use(Clipped{{a, b}});
    case 4: return use(Elu{{a, b}});
    case 5: return use(Selu{{a, b}});
    case 6: return use(Sigmoid{{a, b}});
    case 7: return use(Tanh{{a, b}});
    case 8: return use(Softplus{{a, b}});
    case 9: return use(Softsign{{a, b}});
    case 10: return use(Exponent{{a, b}});
    case 11: return use(Gelu{{a, b}});
    case 12: return use(GeluTanh{{a, b}});
    case 13: return use(Silu{{a, b}});
    case 14: return use(Mish{{a, b}});
    case 15: return use(HardSigmoid{{a, b}});
    case 16: return use(HardSilu{{a, b}});
    case 17: return use(Straight{{a, b}});
    case 18: return use(Absolute{{a, b}});
    case 19: return use(Square{{a, b}});
    case 20: return use(Root{{a, b}});
    case 21: return use(Negative{{a, b}});
  }
}

// output = function(input)
struct Pointwise final : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1, function = 1;
  Real a = 0, b = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
    v("function", function), v("a", a), v("b", b);
  }

  void check(const Check& c) const override {
    c.between("function", function, 1, FUNCTIONS);
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output", output, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    with_function(function, static_cast<float>(a), static_cast<float>(b), [&](auto of) {
      for (int64_t i = range.begin; i < range.end; ++i)
        each_number(
            context, i, {height, width, channels},
            [&](Part part, Line from, Line to) { to.put(part, of.value(from.get(part))); }, input,
            output);
    });
  }
};

// input_gradient = output_gradient * derivative; in place where the views are equal.
struct PointwiseBackward final : Kernel {
  View input, output, output_gradient, input_gradient;
  Int height = 1, width = 1, channels = 1, function = 1;
  Real a = 0, b = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("output_gradient", output_gradient), v("input_gradient", input_gradient);
    v("height", height), v("width", width), v("channels", channels);
    v("function", function), v("a", a), v("b", b);
  }

  void check(const Check& c) const override {
    c.between("function", function, 1, FUNCTIONS);
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output", output, height, width, channels, c.batch());
    c.holds("output_gradient", output_gradient, height, width, channels, c.batch());
    c.holds("input_gradient", input_gradient, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    with_function(function, static_cast<float>(a), static_cast<float>(b), [&](auto of) {
      for (int64_t i = range.begin; i < range.end; ++i)
        each_number(
            context, i, {height, width, channels},
            [&](Part part, Line x, Line y, Line dy, Line dx) {
              dx.put(part, dy.get(part) * of.slope(x.get(part), y.get(part)));
            },
            input, output, output_gradient, input_gradient);
    });
  }
};

}  // namespace

Entries pointwise_kernels() {
  return {entry<Pointwise>("pointwise"), entry<PointwiseBackward>("pointwise_backward")};
}

}  // namespace striate
