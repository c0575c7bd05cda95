// The update rules: how the gradient of a weight changes it. Shared by `update` and by the backward
// pass of dense layers that updates their weights on the way.
#pragma once

#include "../plan.h"
#include "../vector.h"

namespace striate {

// The description of an optimizer, as fields of a kernel. `momentum` is beta_1, or rho where there
// is one; `second_decay` is beta_2, the momentum of rmsprop, or the dampening of a heavy ball, which
// is a momentum without the rate: torch's. So is the corrected Adam, whose epsilon stands beside a
// root that is corrected for its beginning.
struct Rule {
  enum Optimizer : Int {
    NONE, SGD, MOMENTUM, RMSPROP, ADAM, ADAMW, ADAGRAD, ADADELTA, ADAMAX, NADAM, HEAVY_BALL,
    CORRECTED_ADAM
  };
  Int optimizer = NONE;
  Real momentum = 0, second_decay = 0, epsilon = 0;
  Int nesterov = 0;
  Real weight_decay = 0, l1 = 0, l2 = 0;

  template <class V>
  void visit(V& v) {
    v("optimizer", optimizer), v("momentum", momentum), v("second_decay", second_decay);
    v("epsilon", epsilon), v("nesterov", nesterov), v("weight_decay", weight_decay);
    v("l1", l1), v("l2", l2);
  }
};

// The buffers of what an optimizer keeps for a weight, in the order of its slots in Python. Those
// that an option adds are ABSENT without it: rmsprop's second is its momentum, its third the mean
// gradient of `centered`; adam's third is the largest mean square of `amsgrad`.
struct Kept {
  Ref first, second, third;

  // Throws unless the rule's buffers are there, each of `floats`.
  void check(const Check& check, const Rule& rule, int64_t floats) const;
};

// A weight and what is kept for it, from some element on; null where the rule keeps nothing.
struct Place {
  float* weight;
  float* first;
  float* second;
  float* third;
};
Place place_of(const Context& context, Ref weight, const Kept& kept, int64_t element);

// A rule at one step of the training.
class Update {
 public:
  Update(const Rule& rule, const Step& step);
  // Changes `rows` x `width` weights, `row` floats from one row to the next, by their gradients,
  // which lie `gradient_row` apart; `width` is a multiple of LANES.
  void apply(const Place& place, int64_t row, const float* gradient, int64_t gradient_row,
             int64_t rows, int64_t width) const;

  struct Factors {
    float rate, momentum, second_decay, epsilon;
    float new_part, new_second_part;  // 1 - momentum and 1 - second_decay
    float keep;        // of the weight: 1 - weight_decay * rate
    float l1, l2;      // gradients of l1 * |w| and l2 * w^2 are l1 * sign(w) and 2 * l2 * w
    float mean;        // factor of the mean gradient in a step; Nadam's looks ahead
    float here;        // factor of the gradient itself in Nadam's step
    float correction;  // of Nadam's mean square
    bool nesterov;
  };

 private:
  Int optimizer_;
  Factors factors_;
};

}  // namespace striate
