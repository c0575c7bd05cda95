// What dense layers have in common: flat vectors of samples, and the slope of their activations.
#pragma once

#include "../plan.h"
#include "../vector.h"

namespace striate {

// Vectors of one batch: the numbers of a sample lie without gaps, `stride` floats behind those of
// the sample before it.
struct Vectors {
  float* at;
  int64_t stride;
  float* operator[](int64_t sample) const { return at + sample * stride; }
};

inline Vectors vectors(const Context& context, const View& view, int64_t first = 0) {
  const int64_t stride = context.buffers[view.ref.buffer].stride / 4;
  return {context.at(view, first), stride};
}

enum DenseActivation : Int { DENSE_LINEAR, DENSE_RELU, DENSE_LEAKY };

// What the activation's values below zero are multiplied with; the gradient is multiplied with it
// where the output is not above zero.
inline float slope_below_zero(Int activation, Real slope) {
  if (activation == DENSE_LINEAR) return 1;
  return activation == DENSE_RELU ? 0 : static_cast<float>(slope);
}

constexpr int64_t MOST_FEATURES = int64_t{1} << 30;

}  // namespace striate
