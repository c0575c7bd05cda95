// Functions of a vector of floats, each a few units in the last place from the exact value, with
// no call per lane.
#pragma once

#include "vector.h"

namespace striate {

STRIATE_INLINE Vec select(IntVec which, Vec yes, Vec no) { return which ? yes : no; }
STRIATE_INLINE Vec abs(Vec x) { return bit_cast<Vec>(bit_cast<IntVec>(x) & 0x7fffffff); }
// The size of x with the sign of y.
STRIATE_INLINE Vec with_sign(Vec x, Vec y) {
  return bit_cast<Vec>((bit_cast<IntVec>(x) & 0x7fffffff) |
                       (bit_cast<IntVec>(y) & static_cast<int32_t>(0x80000000)));
}

// c[0] + c[1] x + c[2] x^2 + ...
template <int N>
STRIATE_INLINE Vec polynomial(Vec x, const float (&c)[N]) {
  Vec y = all(c[N - 1]);
  for (int i = N - 2; i >= 0; --i) y = fma(y, x, all(c[i]));
  return y;
}

// exp(x) = 2^power * (1 + rest), |rest| < 0.42; x between -105 and 89.
struct Exponential {
  STRIATE_INLINE explicit Exponential(Vec x) {
    constexpr float ROUNDING = 12582912;  // 1.5 * 2^23: a float this large has no fraction
    const Vec n = fma(x, all(1.44269504088896341f), all(ROUNDING)) - ROUNDING;
    power = __builtin_convertvector(n, IntVec);
    // log 2 in two parts, the first with so few bits that n times it is exact
    const Vec r = fma(n, all(2.12194440e-4f), fma(n, all(-0.693359375f), x));
    static constexpr float REST[] = {0.5f, 1.6666665459e-1f, 4.1665795894e-2f,
                                     8.3334519073e-3f, 1.3981999507e-3f, 1.9875691500e-4f};
    rest = fma(polynomial(r, REST), r * r, r);
  }
  // v * 2^power, in two steps because 2^128 is no float and 2^-140 is not normal.
  STRIATE_INLINE Vec scaled(Vec v) const {
    const IntVec half = power >> 1;
    return v * power_of_two(half) * power_of_two(power - half);
  }
  STRIATE_INLINE static Vec power_of_two(IntVec n) { return bit_cast<Vec>((n + 127) << 23); }

  IntVec power;
  Vec rest;
};

// The limits come first: min and max give their second operand, here x, where that is no number.
STRIATE_INLINE Vec exp(Vec x) {
  const Exponential e(min(all(89.0f), max(all(-105.0f), x)));
  return e.scaled(1 + e.rest);
}

// exp(x) - 1, exact near 0; x up to 88.
STRIATE_INLINE Vec expm1(Vec x) {
  const Exponential e(max(all(-30.0f), x));
  return e.scaled(e.rest) + (e.scaled(all(1.0f)) - 1);
}

// log(x); -inf at 0, no number below it.
STRIATE_INLINE Vec log(Vec x) {
  const IntVec tiny = x < 1.17549435e-38f;
  const IntVec bits = bit_cast<IntVec>(select(tiny, x * 8388608.0f, x));
  // x = m * 2^n with m between sqrt(1/2) and sqrt(2)
  const IntVec above = bits - 0x3f3504f3;
  const Vec n = __builtin_convertvector((above >> 23) - (tiny & 23), Vec);
  const Vec m = bit_cast<Vec>((above & 0x7fffff) + 0x3f3504f3) - 1;
  static constexpr float C[] = {3.3333331174e-1f,  -2.4999993993e-1f, 2.0000714765e-1f,
                                -1.6668057665e-1f, 1.4249322787e-1f,  -1.2420140846e-1f,
                                1.1676998740e-1f,  -1.1514610310e-1f, 7.0376836292e-2f};
  const Vec square = m * m;
  const Vec small = fma(n, all(-2.12194440e-4f), polynomial(m, C) * square * m);
  Vec y = fma(n, all(0.693359375f), m + fma(square, all(-0.5f), small));
  const float infinity = __builtin_inff();
  y = select(x < infinity, y, x);  // infinity, or no number
  const Vec below = select(x < 0.0f, all(__builtin_nanf("")), x);
  return select(x > 0.0f, y, select(x == 0.0f, all(-infinity), below));
}

// log(1 + x) for x between 0 and 1, exact near 0: the part of x that 1 + x rounds away is added.
STRIATE_INLINE Vec log1p(Vec x) {
  const Vec w = 1 + x;
  return log(w) + (x - (w - 1)) / w;
}

STRIATE_INLINE Vec sigmoid(Vec x) { return 1 / (1 + exp(-x)); }

STRIATE_INLINE Vec tanh(Vec x) {
  const Vec e = expm1(min(all(20.0f), 2 * abs(x)));
  return with_sign(e / (e + 2), x);
}

// log(1 + exp(x))
STRIATE_INLINE Vec softplus(Vec x) { return max(all(0.0f), x) + log1p(exp(-abs(x))); }

// The error function: x times a rational function of x^2; 1 in float from 4 on.
STRIATE_INLINE Vec erf(Vec x) {
  x = min(all(4.0f), max(all(-4.0f), x));
  static constexpr float ABOVE[] = {
      -1.60960333262415e-02f, -2.95459980854025e-03f, -7.34990630326855e-04f,
      -5.69250639462346e-05f, -2.10102402082508e-06f, 2.77068142495902e-08f,
      -2.72614225801306e-10f};
  static constexpr float BELOW[] = {-1.42647390514189e-02f, -7.37332916720468e-03f,
                                    -1.68282697438203e-03f, -2.13374055278905e-04f,
                                    -1.45660718464996e-05f};
  const Vec square = x * x;
  return x * polynomial(square, ABOVE) / polynomial(square, BELOW);
}

}  // namespace striate
