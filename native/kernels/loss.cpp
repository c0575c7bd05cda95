// Losses of classes and of numbers, as Keras defines them.
#include "loss.h"

#include <algorithm>
#include <type_traits>

#include "../math.h"
#include "families.h"

namespace striate {
namespace {

// The largest of `count` numbers.
float largest(const float* numbers, int64_t count) {
  const float least = -__builtin_inff();
  Vec most = all(least);
  for (int64_t c = 0; c < count; c += LANES)
    most = max(select(lane_numbers() < static_cast<int32_t>(std::min<int64_t>(count - c, LANES)),
                      load_first(numbers + c, count - c), all(least)),
               most);
  float result = least;
  for (int i = 0; i < LANES; ++i) result = most[i] > result ? most[i] : result;
  return result;
}

// Number of the first that equals the largest, or `count` where there is none.
int64_t first_of(const float* numbers, int64_t count, float number) {
  int64_t c = 0;
  while (c < count && numbers[c] != number) ++c;
  return c;
}

// One class for each sample: its number.
struct ClassNumbers {
  static constexpr const char* NAME = "labels";
  Ref field;

  void check(const Check& c, int64_t) const { c.holds(NAME, field, 4, c.batch()); }
  int32_t label(const Context& context, int64_t sample, int64_t) const {
    return *context.at<int32_t>(field, sample);
  }
  STRIATE_INLINE Vec part(const Context& context, int64_t sample, int64_t c, int64_t) const {
    const IntVec classes = lane_numbers() + all(static_cast<int32_t>(c));
    return select(classes == all(label(context, sample, 0)), all(1.0f), Vec{});
  }
};

// A share of every class for each sample, such as one-hot labels.
struct ClassShares {
  static constexpr const char* NAME = "targets";
  View field;

  void check(const Check& c, int64_t classes) const {
    c.holds(NAME, field, 1, 1, classes, c.batch());
  }
  int64_t label(const Context& context, int64_t sample, int64_t classes) const {
    const float* shares = context.at(field, sample);
    return first_of(shares, classes, largest(shares, classes));
  }
  STRIATE_INLINE Vec part(const Context& context, int64_t sample, int64_t c, int64_t count) const {
    return load_first(context.at(field, sample) + c, count - c);
  }
};

// -sum(target * log(softmax(logits))); targets move by `smoothing` towards 1 / classes. With `tiny`,
// which is added in the logarithm, the gradient is softmax - target whatever the targets add up to.
template <class Targets>
struct SoftmaxCrossentropy final : Loss {
  Targets targets;
  View probabilities;
  Real smoothing = 0, tiny = 0;

  template <class V>
  void visit(V& v) {
    v("logits", outputs), v("classes", count), v(Targets::NAME, targets.field);
    v("weights", weights), v("gradient", gradient), v("probabilities", probabilities);
    v("values", values), v("smoothing", smoothing), v("tiny", tiny);
  }

  void check(const Check& c) const override {
    check_common(c);
    targets.check(c, count);
    if (given(probabilities)) c.holds("probabilities", probabilities, 1, 1, count, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i) one(context, i);
  }

 private:
  void one(const Context& context, int64_t sample) const {
    const float* z = context.at(outputs, sample);
    const float most = largest(z, count);
    const float exponentials = sum_of_exponentials(z, most);
    const float log_sum = most + log(all(exponentials))[0];
    const Vec mine = all(share(context, sample)), toward = all(static_cast<float>(smoothing));
    const float uniform = static_cast<float>(smoothing / static_cast<double>(count));
    const float total = tiny > 0 ? 1 : total_of_targets(context, sample);
    const Vec least = all(static_cast<float>(tiny));
    Vec loss{};
    for (int64_t c = 0; c < round_up(count, GROUP); c += LANES) {
      const Vec logits = load_first(z + c, count - c);
      const Vec given_target = targets.part(context, sample, c, count);
      const Vec target = keep_first(given_target * (1 - toward) + uniform, count - c);
      const Vec p = keep_first(exp(logits - most) / exponentials, count - c);
      const Vec entropy = tiny > 0 ? -log(p + least) : log_sum - logits;
      loss += keep_first(target * entropy, count - c);
      put(context, gradient, sample, c, (p * total - target) * mine);
      put(context, probabilities, sample, c, p);
    }
    const int64_t guess = first_of(z, count, most);
    report(context, sample, sum(loss), guess == targets.label(context, sample, count) ? 1 : 0);
  }

  float sum_of_exponentials(const float* z, float most) const {
    Vec total{};
    for (int64_t c = 0; c < count; c += LANES)
      total += keep_first(exp(load_first(z + c, count - c) - most), count - c);
    return sum(total);
  }

  float total_of_targets(const Context& context, int64_t sample) const {
    const float smooth = static_cast<float>(smoothing);
    if (std::is_same<Targets, ClassNumbers>::value) return 1;
    Vec total{};
    for (int64_t c = 0; c < count; c += LANES)
      total += targets.part(context, sample, c, count);
    return sum(total) * (1 - smooth) + smooth;
  }

  void put(const Context& context, const View& to, int64_t sample, int64_t c, Vec v) const {
    if (given(to)) store_first(context.at(to, sample) + c, v, written(to, count) - c);
  }
};

// What an output and its target come to.
struct Difference {
  Vec loss, gradient, correct;
};

struct Sigmoid {
  static constexpr const char *OUTPUTS = "logits", *COUNT = "classes";
  static constexpr bool SMOOTHING = true;
  STRIATE_INLINE static Difference of(Vec x, Vec target, float smoothing) {
    const Vec t = target * (1 - smoothing) + 0.5f * smoothing;
    const IntVec agrees = (x > 0.0f) == (target > 0.5f);
    return {softplus(x) - x * t, sigmoid(x) - t, select(agrees, all(1.0f), Vec{})};
  }
};

struct Squared {
  static constexpr const char *OUTPUTS = "predictions", *COUNT = "count";
  static constexpr bool SMOOTHING = false;
  STRIATE_INLINE static Difference of(Vec x, Vec target, float) {
    const Vec d = x - target;
    return {d * d, d + d, Vec{}};
  }
};

struct Absolute {
  static constexpr const char *OUTPUTS = "predictions", *COUNT = "count";
  static constexpr bool SMOOTHING = false;
  STRIATE_INLINE static Difference of(Vec x, Vec target, float) {
    const Vec d = x - target;
    return {abs(d), select(d == 0.0f, Vec{}, with_sign(all(1.0f), d)), Vec{}};
  }
};

// The mean over the outputs of a loss of each of them.
template <class Each>
struct MeanLoss final : Loss {
  View targets;
  Real smoothing = 0;

  template <class V>
  void visit(V& v) {
    v(Each::OUTPUTS, outputs), v(Each::COUNT, count), v("targets", targets);
    v("weights", weights), v("gradient", gradient), v("values", values);
    if (Each::SMOOTHING) v("smoothing", smoothing);
  }

  void check(const Check& c) const override {
    check_common(c);
    c.holds("targets", targets, 1, 1, count, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i) one(context, i);
  }

 private:
  void one(const Context& context, int64_t sample) const {
    const float* x = context.at(outputs, sample);
    const float* t = context.at(targets, sample);
    const float n = static_cast<float>(count);
    const Vec mine = all(share(context, sample) / n);
    Vec loss{}, correct{};
    for (int64_t c = 0; c < round_up(count, GROUP); c += LANES) {
      const Difference d = Each::of(load_first(x + c, count - c), load_first(t + c, count - c),
                                    static_cast<float>(smoothing));
      loss += keep_first(d.loss, count - c);
      correct += keep_first(d.correct, count - c);
      if (given(gradient))
        store_first(context.at(gradient, sample) + c, keep_first(d.gradient * mine, count - c),
                    written(gradient, count) - c);
    }
    report(context, sample, sum(loss) / n, sum(correct) / n);
  }
};

// Adds the losses of a batch, and how many samples are correct, to what the run reports.
struct AddSums final : Kernel {
  Ref values;
  Int first = 0;

  template <class V>
  void visit(V& v) {
    v("values", values), v("first", first);
  }

  void check(const Check& c) const override {
    c.holds("values", values, 8, c.batch());
    c.between("first", first, 0, c.sums() - 2);
  }

  void run(const Context& context, Range) const override {
    for (int64_t i = 0; i < context.step.samples; ++i) {
      const float* value = context.at<float>(values, i);
      context.step.sums[first] += value[0];
      context.step.sums[first + 1] += value[1];
    }
  }
};

}  // namespace

Entries loss_kernels() {
  return {entry<SoftmaxCrossentropy<ClassNumbers>>("softmax_crossentropy"),
          entry<SoftmaxCrossentropy<ClassShares>>("softmax_crossentropy_dense"),
          entry<MeanLoss<Sigmoid>>("sigmoid_crossentropy"),
          entry<MeanLoss<Squared>>("mean_squared_error"),
          entry<MeanLoss<Absolute>>("mean_absolute_error"),
          entry<AddSums>("add_sums")};
}

}  // namespace striate

#pragma GCC visibility push(default)
// The sum of -target * log(p + tiny) / samples, where p is the softmax of a row of scores; and its
// gradient as (p - target) / samples, whatever `tiny` is. Rows lie without gaps.
extern "C" double striate_crossentropy(const float* scores, const float* targets, int64_t samples,
                                       int64_t classes, double tiny, float* gradient) {
  using namespace striate;
  const float part = 1 / static_cast<float>(samples), least = static_cast<float>(tiny);
  double loss = 0;
  for (int64_t i = 0; i < samples; ++i, scores += classes, targets += classes, gradient += classes) {
    const float most = largest(scores, classes);
    Vec total{};
    for (int64_t c = 0; c < classes; c += LANES)
      total += keep_first(exp(load_first(scores + c, classes - c) - most), classes - c);
    const float exponentials = sum(total);
    Vec losses{};
    for (int64_t c = 0; c < classes; c += LANES) {
      const Vec p = exp(load_first(scores + c, classes - c) - most) / exponentials;
      const Vec target = load_first(targets + c, classes - c);
      losses -= keep_first(target * log(p + least), classes - c);
      store_first(gradient + c, (p - target) * part, classes - c);
    }
    loss += static_cast<double>(sum(losses));
  }
  return loss / static_cast<double>(samples);
}
#pragma GCC visibility pop
