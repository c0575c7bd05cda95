// What the losses have in common: a value for each sample, and the gradient of the batch's mean.
#pragma once

#include "../plan.h"
#include "../vector.h"

namespace striate {

// The outputs of a layer, the weight that each sample's loss is multiplied with, and the results:
// the gradient of the mean of the losses of the batch by the outputs, and for each sample its loss
// and whether, or which part of it, is predicted correctly.
struct Loss : Kernel {
  View outputs;
  Int count = 1;
  Ref weights;
  View gradient;
  Ref values;

  void check_common(const Check& c) const {
    c.between("count", count, 1, int64_t{1} << 30);
    c.holds("outputs", outputs, 1, 1, count, c.batch());
    if (given(weights)) c.holds("weights", weights, 4, c.batch());
    if (given(gradient)) c.holds("gradient", gradient, 1, 1, count, c.batch());
    c.holds("values", values, 8, c.batch());
  }

  float weight(const Context& context, int64_t sample) const {
    return given(weights) ? *context.at<float>(weights, sample) : 1;
  }

  // What the gradient of a sample's own loss is multiplied with.
  float share(const Context& context, int64_t sample) const {
    return weight(context, sample) / static_cast<float>(context.step.samples);
  }

  void report(const Context& context, int64_t sample, float loss, float correct) const {
    float* to = context.at<float>(values, sample);
    to[0] = loss * weight(context, sample);
    to[1] = correct;
  }
};

}  // namespace striate
