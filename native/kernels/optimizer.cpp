// Changing the weights by their gradients: Keras's optimizers.
#include "optimizer.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "../team.h"
#include "families.h"

namespace striate {
namespace {

using Factors = Update::Factors;

STRIATE_INLINE Vec absolute(Vec v) { return max(v, -v); }

// Moves the mean at `kept` by a part of the way to v.
STRIATE_INLINE Vec moved(float* kept, float part, Vec v) {
  const Vec mean = load(kept);
  const Vec now = fma(all(part), v - mean, mean);
  store(kept, now);
  return now;
}

STRIATE_INLINE Vec moved_square(float* kept, float decay, float part, Vec v) {
  const Vec now = fma(all(part) * v, v, all(decay) * load(kept));
  store(kept, now);
  return now;
}

// Each rule says what it subtracts from the weights of a vector, and renews what is kept for them.

struct Sgd {
  STRIATE_INLINE static Vec step(const Factors& f, const Place&, int64_t, Vec g) {
    return all(f.rate) * g;
  }
};

struct Momentum {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec change = all(f.rate) * g;
    const Vec momentum = fma(all(f.momentum), load(p.first + i), -change);
    store(p.first + i, momentum);
    return f.nesterov ? fma(-all(f.momentum), momentum, change) : -momentum;
  }
};

struct HeavyBall {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec part = all(f.new_second_part) * g;
    const Vec momentum = fma(all(f.momentum), load(p.first + i), part);
    store(p.first + i, momentum);
    return all(f.rate) * (f.nesterov ? fma(all(f.momentum), momentum, g) : momentum);
  }
};

struct RmsProp {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    Vec square = moved_square(p.first + i, f.momentum, f.new_part, g);
    if (p.third != nullptr) {
      const Vec mean = moved(p.third + i, f.new_part, g);
      square = max(square - mean * mean, Vec{});
    }
    const Vec change = all(f.rate) * g / sqrt(square + all(f.epsilon));
    if (p.second == nullptr) return change;
    const Vec momentum = fma(all(f.second_decay), load(p.second + i), change);
    store(p.second + i, momentum);
    return momentum;
  }
};

struct Adam {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec mean = moved(p.first + i, f.new_part, g);
    Vec square = moved_square(p.second + i, f.second_decay, f.new_second_part, g);
    if (p.third != nullptr) {
      square = max(load(p.third + i), square);
      store(p.third + i, square);
    }
    return all(f.mean) * mean / (sqrt(square) + all(f.epsilon));
  }
};

struct Adagrad {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec sum = fma(g, g, load(p.first + i));
    store(p.first + i, sum);
    return all(f.rate) * g / sqrt(sum + all(f.epsilon));
  }
};

struct Adadelta {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec square = moved_square(p.first + i, f.momentum, f.new_part, g);
    const Vec steps = sqrt(load(p.second + i) + all(f.epsilon));
    const Vec change = steps * g / sqrt(square + all(f.epsilon));
    moved_square(p.second + i, f.momentum, f.new_part, change);
    return all(f.rate) * change;
  }
};

struct Adamax {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec mean = moved(p.first + i, f.new_part, g);
    const Vec largest = max(all(f.second_decay) * load(p.second + i), absolute(g));
    store(p.second + i, largest);
    return all(f.mean) * mean / (largest + all(f.epsilon));
  }
};

struct Nadam {
  STRIATE_INLINE static Vec step(const Factors& f, const Place& p, int64_t i, Vec g) {
    const Vec mean = moved(p.first + i, f.new_part, g);
    const Vec square = moved_square(p.second + i, f.second_decay, f.new_second_part, g);
    const Vec ahead = fma(all(f.mean), mean, all(f.here) * g);
    return ahead / (sqrt(square * all(f.correction)) + all(f.epsilon));
  }
};

// With the gradients of the regularizers l1 * |w| and l2 * w^2.
STRIATE_INLINE Vec regularized(const Factors& f, Vec g, Vec w) {
  if (f.l1 != 0) g += (w > Vec{}) ? all(f.l1) : (w < Vec{}) ? all(-f.l1) : Vec{};
  if (f.l2 != 0) g = fma(all(2 * f.l2), w, g);
  return g;
}

STRIATE_INLINE Place moved(const Place& p, int64_t by) {
  const auto at = [by](float* from) { return from == nullptr ? nullptr : from + by; };
  return {at(p.weight), at(p.first), at(p.second), at(p.third)};
}

template <class R>
void apply_rule(const Factors& given, const Place& place, int64_t row, const float* gradient,
                int64_t gradient_row, int64_t rows, int64_t width) {
  const Factors f = given;  // not in memory that stores could change
  for (int64_t r = 0; r < rows; ++r) {
    const Place p = moved(place, r * row);
    for (int64_t i = 0; i < width; i += LANES) {
      const Vec w = load(p.weight + i);
      const Vec g = regularized(f, load(gradient + r * gradient_row + i), w);
      store(p.weight + i, fma(all(f.keep), w, -R::step(f, p, i, g)));
    }
  }
}

// Nadam's factors of the momentum, 1 - 0.96^t / 2: their products over t. From t = 900 on the
// factor is 1 to the last place.
double nadam_product(int64_t t) {
  constexpr int64_t COUNT = 900;
  static const std::vector<double> products = [] {
    std::vector<double> out(COUNT + 1, 1.0);
    for (int64_t i = 1; i <= COUNT; ++i)
      out[static_cast<size_t>(i)] =
          out[static_cast<size_t>(i - 1)] * (1 - 0.5 * std::pow(0.96, static_cast<double>(i)));
    return out;
  }();
  return products[static_cast<size_t>(std::clamp(t, int64_t{0}, COUNT))];
}

void nadam_factors(const Rule& rule, const Step& step, Factors& f) {
  const double t = static_cast<double>(step.update), beta = rule.momentum;
  const double now = beta * (1 - 0.5 * std::pow(0.96, t));
  const double later = beta * (1 - 0.5 * std::pow(0.96, t + 1));
  const double until_now = std::pow(beta, t) * nadam_product(step.update);
  const double until_later = std::pow(beta, t + 1) * nadam_product(step.update + 1);
  f.mean = static_cast<float>(step.rate * later / (1 - until_later));
  f.here = static_cast<float>(step.rate * (1 - now) / (1 - until_now));
  f.correction = static_cast<float>(1 / (1 - std::pow(rule.second_decay, t)));
}

// The weights of a layer, a vector of gradients for each block of samples, and the rule. Without a
// rule the sum of the gradients, and of what `first` holds, takes the place of the first gradient.
struct UpdateCall final : Kernel {
  static constexpr int64_t PART = 4096;  // floats
  static constexpr int64_t CHUNK = 256;  // floats whose gradients are summed at a time
  Ref weight, gradient;
  Int slots_block = 0;
  Kept kept;
  Int count = 1;
  Rule rule;

  template <class V>
  void visit(V& v) {
    v("weight", weight), v("gradient", gradient), v("slots_block", slots_block);
    v("first", kept.first), v("second", kept.second), v("third", kept.third), v("count", count);
    rule.visit(v);
  }

  void check(const Check& c) const override {
    c.between("count", count, 1, int64_t{1} << 36);
    c.between("slots_block", slots_block, 0, int64_t{1} << 20);
    const int64_t floats = round_up(count, GROUP);
    c.holds("weight", weight, floats * 4);
    c.holds("gradient", gradient, floats * 4, pieces(c.batch()));
    kept.check(c, rule, floats);
  }

  int64_t parts(int64_t) const override { return divide_up(count, PART); }

  void run(const Context& context, Range range) const override {
    const Update update(rule, context.step);
    const int64_t first = range.begin * PART;
    const int64_t end = round_up(count < range.end * PART ? count : range.end * PART, GROUP);
    for (int64_t i = first; i < end; i += CHUNK) {
      const int64_t width = end - i < CHUNK ? end - i : CHUNK;
      alignas(64) float sums[CHUNK];
      add_slots(context, i, width, sums);
      if (rule.optimizer == Rule::NONE)
        store_sums(context, i, width, sums);
      else
        update.apply(place_of(context, weight, kept, i), 0, sums, 0, 1, width);
    }
  }

 private:
  int64_t pieces(int64_t samples) const {
    return slots_block == 0 ? 1 : divide_up(samples, slots_block);
  }

  void add_slots(const Context& context, int64_t first, int64_t width, float* sums) const {
    const int64_t slots = pieces(context.step.samples);
    for (int64_t i = 0; i < width; i += LANES) {
      Vec sum = load(context.at<float>(gradient) + first + i);
      for (int64_t s = 1; s < slots; ++s) sum += load(context.at<float>(gradient, s) + first + i);
      store(sums + i, sum);
    }
  }

  void store_sums(const Context& context, int64_t first, int64_t width, const float* sums) const {
    const float* more = given(kept.first) ? context.at<float>(kept.first) + first : nullptr;
    for (int64_t i = 0; i < width; i += LANES) {
      const Vec sum = more == nullptr ? load(sums + i) : load(sums + i) + load(more + i);
      store(context.at<float>(gradient) + first + i, sum);
    }
  }
};

}  // namespace

void Kept::check(const Check& c, const Rule& rule, int64_t floats) const {
  c.between("optimizer", rule.optimizer, Rule::NONE, Rule::CORRECTED_ADAM);
  const bool one = rule.optimizer > Rule::SGD;
  const bool two = rule.optimizer > Rule::RMSPROP && rule.optimizer != Rule::ADAGRAD &&
                   rule.optimizer != Rule::HEAVY_BALL;
  if (one || given(first)) c.holds("first", first, floats * 4);
  if (two || given(second)) c.holds("second", second, floats * 4);
  if (given(third)) c.holds("third", third, floats * 4);
}

Place place_of(const Context& context, Ref weight, const Kept& kept, int64_t element) {
  const auto at = [&](Ref ref) { return given(ref) ? context.at<float>(ref) + element : nullptr; };
  return {at(weight), at(kept.first), at(kept.second), at(kept.third)};
}

Update::Update(const Rule& rule, const Step& step) : optimizer_(rule.optimizer), factors_{} {
  const auto real = [](double x) { return static_cast<float>(x); };
  Factors& f = factors_;
  f.rate = real(step.rate);
  f.momentum = real(rule.momentum);
  f.second_decay = real(rule.second_decay);
  f.epsilon = real(rule.epsilon);
  f.new_part = real(1 - rule.momentum);
  f.new_second_part = real(1 - rule.second_decay);
  f.keep = real(1 - rule.weight_decay * step.rate);
  f.l1 = real(rule.l1);
  f.l2 = real(rule.l2);
  f.nesterov = rule.nesterov != 0;
  const double t = static_cast<double>(step.update);
  const double mean = step.rate / (1 - std::pow(rule.momentum, t));
  const double root = std::sqrt(1 - std::pow(rule.second_decay, t));
  if (optimizer_ == Rule::ADAM || optimizer_ == Rule::ADAMW || optimizer_ == Rule::CORRECTED_ADAM)
    f.mean = real(mean * root);
  if (optimizer_ == Rule::CORRECTED_ADAM) f.epsilon = real(rule.epsilon * root);
  if (optimizer_ == Rule::ADAMAX) f.mean = real(mean);
  if (optimizer_ == Rule::NADAM) nadam_factors(rule, step, f);
}

void Update::apply(const Place& place, int64_t row, const float* gradient, int64_t gradient_row,
                   int64_t rows, int64_t width) const {
  using Apply = void (*)(const Factors&, const Place&, int64_t, const float*, int64_t, int64_t,
                         int64_t);
  static constexpr Apply apply[] = {
      nullptr,          apply_rule<Sgd>,      apply_rule<Momentum>, apply_rule<RmsProp>,
      apply_rule<Adam>, apply_rule<Adam>,     apply_rule<Adagrad>,  apply_rule<Adadelta>,
      apply_rule<Adamax>, apply_rule<Nadam>,  apply_rule<HeavyBall>, apply_rule<Adam>};
  apply[optimizer_](factors_, place, row, gradient, gradient_row, rows, width);
}

Entries optimizer_kernels() { return {entry<UpdateCall>("update")}; }

}  // namespace striate

#pragma GCC visibility push(default)
extern "C" {

// An optimizer at one of its steps: the fields of `update`, the learning rate, and the number of the
// step from 1.
struct striate_rule {
  int64_t optimizer;
  double momentum, second_decay, epsilon;
  int64_t nesterov;
  double weight_decay, l1, l2, rate;
  int64_t step;
};

// `count` weights, their gradients, and what the optimizer keeps for them; null where it keeps nothing.
struct striate_weights {
  float* weight;
  const float* gradient;
  float* first;
  float* second;
  float* third;
  int64_t count;
};

}  // extern "C"
#pragma GCC visibility pop

namespace striate {
namespace {

constexpr int64_t SHARE = 16384;  // weights that a thread takes at a time
constexpr double ONE_NS = 1;      // of a thread, for a weight: about what reading it takes

// Changes the weights from one to another of a row.
void change(const Update& update, const striate_weights& row, int64_t from, int64_t end) {
  const Place all = moved({row.weight, row.first, row.second, row.third}, from);
  const float* gradient = row.gradient + from;
  const int64_t whole = (end - from) / LANES * LANES, left = end - from - whole;
  if (whole > 0) update.apply(all, 0, gradient, 0, 1, whole);
  if (left == 0) return;
  alignas(64) float last[5][LANES] = {};
  const auto in = [&](float* to, const float* from) {
    if (from != nullptr) std::copy_n(from + whole, left, to);
    return from == nullptr ? nullptr : to;
  };
  const Place place{in(last[0], all.weight), in(last[1], all.first), in(last[2], all.second),
                    in(last[3], all.third)};
  update.apply(place, 0, in(last[4], gradient), 0, 1, LANES);
  const auto out = [&](float* to, const float* from) {
    if (to != nullptr) std::copy_n(from, left, to + whole);
  };
  out(all.weight, last[0]), out(all.first, last[1]), out(all.second, last[2]);
  out(all.third, last[3]);
}

}  // namespace
}  // namespace striate

#pragma GCC visibility push(default)
extern "C" {

// Changes all these weights by their gradients; nothing else is read or written. What comes out does
// not depend on the number of threads.
void striate_update(const striate_rule* given, const striate_weights* rows, int64_t rows_count,
                    int64_t threads) {
  using namespace striate;
  const Rule rule{given->optimizer, given->momentum,     given->second_decay, given->epsilon,
                  given->nesterov,  given->weight_decay, given->l1,           given->l2};
  Step step;
  step.rate = given->rate, step.update = given->step;
  const Update update(rule, step);
  const striate_weights* end = rows + rows_count;
  int64_t floats = 0;
  for (const striate_weights* row = rows; row != end; ++row) floats += row->count;
  std::atomic<int64_t> next{0};
  Team::share(threads, ONE_NS * static_cast<double>(floats), [&] {
    int64_t task = next++, begin = 0;  // of the parts of this row, among those of all rows
    for (const striate_weights* row = rows; row != end; ++row) {
      const int64_t parts = divide_up(row->count, SHARE);
      for (; task < begin + parts; task = next++) {
        const int64_t from = (task - begin) * SHARE;
        change(update, *row, from, std::min(row->count, from + SHARE));
      }
      begin += parts;
    }
  });
}

}  // extern "C"
#pragma GCC visibility pop
