// Dense layers, backward: the gradients of inputs and weights, in blocks of features.
#include <algorithm>

#include "dense.h"
#include "dense_products.h"
#include "families.h"
#include "optimizer.h"

namespace striate {
namespace {

constexpr int64_t FEATURES = 64;  // of a block
// Weights whose gradient is no longer in the caches when it is read: 4 MB.
constexpr int64_t LARGE = 1 << 20;
constexpr int64_t UNITS = 32;     // whose weights are used for both gradients while they are cached

// Asks for the lines of `rows` x `width` floats that are used next. Rows of a block of features lie
// too far apart for the processor to foresee them.
void prefetch(const float* from, int64_t row, int64_t rows, int64_t width) {
  constexpr int64_t LINE = 16;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < width; i += LINE) __builtin_prefetch(from + r * row + i, 1);
}

// Sums of `count` rows, over columns up to `width`; the columns behind them are zero.
void sum_rows(const float* from, int64_t row, int64_t count, int64_t width, float* to, bool add) {
  for (int64_t u = 0; u < round_up(width, GROUP); u += LANES) {
    Vec sum = add ? load(to + u) : Vec{};
    for (int64_t i = 0; i < count; ++i) sum += load(from + i * row + u);
    store(to + u, keep_first(sum, width - u));
  }
}

// What both backward kernels know of their layer, and the blocks of samples and features that they
// work on: copies in scratch memory, FEATURES floats per sample.
struct DenseLayer {
  View input;
  Int features = 1, units = 1;
  Ref weight;
  View output_gradient, input_gradient;

  int64_t row() const { return round_up(features, GROUP); }
  int64_t blocks() const { return divide_up(features, FEATURES); }
  int64_t width(int64_t first) const { return std::min(FEATURES, row() - first); }

  void check(const Check& c) const {
    c.between("features", features, 1, MOST_FEATURES);
    c.between("units", units, 1, MOST_FEATURES);
    c.holds("input", input, 1, 1, features, c.batch());
    c.holds("weight", weight, units * row() * 4);
    c.holds("output_gradient", output_gradient, 1, 1, units, c.batch());
    if (given(input_gradient)) c.holds("input_gradient", input_gradient, 1, 1, features, c.batch());
  }

  // The inputs [first, first + width) of `count` samples; behind the last feature they are zero.
  void gather(const Context& context, int64_t sample, int64_t count, int64_t first,
              float* to) const {
    const Vectors x = vectors(context, input, sample);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t f = 0; f < width(first); f += LANES)
        store(to + i * FEATURES + f, load_first(x[i] + first + f, features - first - f));
  }

  void scatter(const Context& context, int64_t sample, int64_t count, int64_t first,
               const float* from) const {
    const Vectors x = vectors(context, input_gradient, sample);
    const int64_t stop = written(input_gradient, features) - first;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t f = 0; f < width(first); f += LANES)
        store_first(x[i] + first + f, load(from + i * FEATURES + f), stop - f);
  }
};

// Over samples: the gradients of the weights are the sums over the samples of a block.
struct DenseBackward final : Kernel {
  static constexpr int64_t SAMPLES = 16;
  DenseLayer layer;
  View output;
  Int activation = DENSE_LINEAR;
  Real slope = 0;
  Ref weight_gradient, bias_gradient;

  template <class V>
  void visit(V& v) {
    v("input", layer.input), v("features", layer.features), v("output", output);
    v("units", layer.units), v("weight", layer.weight), v("activation", activation);
    v("slope", slope), v("output_gradient", layer.output_gradient);
    v("input_gradient", layer.input_gradient), v("weight_gradient", weight_gradient);
    v("bias_gradient", bias_gradient);
  }

  void check(const Check& c) const override {
    layer.check(c);
    c.between("activation", activation, DENSE_LINEAR, DENSE_LEAKY);
    if (activation != DENSE_LINEAR) c.holds("output", output, 1, 1, layer.units, c.batch());
    c.holds("weight_gradient", weight_gradient, layer.units * layer.row() * 4, c.slots());
    if (given(bias_gradient)) c.holds("bias_gradient", bias_gradient, pitch() * 4, c.slots());
  }

  int64_t scratch() const override { return SAMPLES * (pitch() + 2 * FEATURES) * 4; }

  void run(const Context& context, Range range) const override {
    for (int64_t s = range.begin; s < range.end; s += SAMPLES)
      group(context, s, std::min(SAMPLES, range.end - s), range.slot, s > range.begin);
  }

 private:
  int64_t pitch() const { return round_up(layer.units, GROUP); }

  void group(const Context& context, int64_t begin, int64_t count, int64_t slot, bool add) const {
    float* inputs = reinterpret_cast<float*>(context.scratch);
    float* input_gradients = inputs + SAMPLES * FEATURES;
    float* z = input_gradients + SAMPLES * FEATURES;
    for (int64_t i = 0; i < count; ++i) before_activation(context, begin + i, z + i * pitch());
    if (given(bias_gradient))
      sum_rows(z, pitch(), count, layer.units, context.at<float>(bias_gradient, slot), add);
    for (int64_t f = 0; f < layer.features; f += FEATURES) {
      const int64_t width = layer.width(f), row = layer.row();
      layer.gather(context, begin, count, f, inputs);
      products({z, 1, pitch()}, layer.units, inputs, FEATURES, count, width,
               context.at<float>(weight_gradient, slot) + f, row, add);
      if (!given(layer.input_gradient)) continue;
      products({z, pitch(), 1}, count, context.at<float>(layer.weight) + f, row, layer.units, width,
               input_gradients, FEATURES, false);
      layer.scatter(context, begin, count, f, input_gradients);
    }
  }

  void before_activation(const Context& context, int64_t sample, float* to) const {
    const Vec below = all(slope_below_zero(activation, slope));
    const float* gradient = context.at(layer.output_gradient, sample);
    for (int64_t u = 0; u < layer.units; u += LANES) {
      Vec g = load_first(gradient + u, layer.units - u);
      if (activation != DENSE_LINEAR)
        g = load_first(context.at(output, sample) + u, layer.units - u) > Vec{} ? g : g * below;
      store(to + u, g);
    }
  }
};

// Over blocks of features, of all samples: the gradient of a block's weights is complete, so that
// they are changed at once, after their last use, and no gradient goes to memory. The last part is
// the bias.
struct DenseBackwardParts final : Kernel {
  static constexpr int64_t SAMPLES = 128;  // of a group: usually the whole batch, in one pass
  DenseLayer layer;
  Ref bias;
  Kept kept, bias_kept;
  Ref weight_gradient, bias_gradient;
  Rule rule;
  Real bias_weight_decay = 0, bias_l1 = 0, bias_l2 = 0;

  template <class V>
  void visit(V& v) {
    v("input", layer.input), v("features", layer.features), v("units", layer.units);
    v("weight", layer.weight), v("output_gradient", layer.output_gradient);
    v("input_gradient", layer.input_gradient), v("bias", bias), v("first", kept.first);
    v("second", kept.second), v("third", kept.third), v("bias_first", bias_kept.first);
    v("bias_second", bias_kept.second), v("bias_third", bias_kept.third);
    v("weight_gradient", weight_gradient), v("bias_gradient", bias_gradient);
    rule.visit(v);
    v("bias_weight_decay", bias_weight_decay), v("bias_l1", bias_l1), v("bias_l2", bias_l2);
  }

  void check(const Check& c) const override {
    layer.check(c);
    const int64_t weights = layer.units * layer.row(), biases = pitch();
    kept.check(c, rule, weights);
    if (!updates()) c.holds("weight_gradient", weight_gradient, weights * 4);
    if (!given(bias)) return;
    c.holds("bias", bias, biases * 4);
    bias_kept.check(c, rule, biases);
    if (!updates()) c.holds("bias_gradient", bias_gradient, biases * 4);
  }

  int64_t parts(int64_t) const override { return layer.blocks() + (given(bias) ? 1 : 0); }

  int64_t scratch() const override {
    return (2 * SAMPLES + std::max(layer.units, Int{UNITS})) * FEATURES * 4 + pitch() * 4;
  }

  void run(const Context& context, Range range) const override {
    for (int64_t part = range.begin; part < std::min(range.end, parts(0)); ++part)
      part < layer.blocks() ? block(context, part * FEATURES) : whole_bias(context);
  }

 private:
  bool updates() const { return rule.optimizer != Rule::NONE; }
  int64_t pitch() const { return round_up(layer.units, GROUP); }

  void block(const Context& context, int64_t first) const {
    const int64_t samples = context.step.samples;
    const Update update(rule, context.step);
    for (int64_t s = 0, groups = divide_up(samples, SAMPLES), count; groups > 0; --groups) {
      count = divide_up(samples - s, groups);
      group(context, first, s, count, update);
      s += count;
    }
  }

  // A group of samples adds to the gradients; those of the weights are used with the last one.
  void group(const Context& context, int64_t first, int64_t begin, int64_t count,
             const Update& update) const {
    const int64_t width = layer.width(first);
    const bool last = begin + count == context.step.samples, only = begin == 0 && last;
    float* inputs = reinterpret_cast<float*>(context.scratch);
    float* input_gradients = inputs + SAMPLES * FEATURES;
    float* gradients = input_gradients + SAMPLES * FEATURES;
    const Vectors z = vectors(context, layer.output_gradient, begin);
    layer.gather(context, begin, count, first, inputs);
    for (int64_t u = 0; u < layer.units; u += UNITS) {
      const int64_t rows = std::min(UNITS, layer.units - u);
      const int64_t at = u * layer.row() + first;
      const float* weights = context.at<float>(layer.weight) + at;
      float* gradient = gradients + (only ? 0 : u * FEATURES);
      prefetch_units(context, u + rows, first, last);
      if (given(layer.input_gradient))
        products({z.at + u, z.stride, 1}, count, weights, layer.row(), rows, width,
                 input_gradients, FEATURES, u > 0);
      products({z.at + u, 1, z.stride}, rows, inputs, FEATURES, count, width, gradient, FEATURES,
               begin > 0);
      if (last) use(context, update, at, gradient, rows, width);
    }
    if (given(layer.input_gradient)) layer.scatter(context, begin, count, first, input_gradients);
  }

  void prefetch_units(const Context& context, int64_t u, int64_t first, bool last) const {
    const int64_t rows = std::min(UNITS, layer.units - u), at = u * layer.row() + first;
    for (Ref ref : {layer.weight, kept.first, kept.second})
      if (given(ref) && (last || ref.buffer == layer.weight.buffer))
        prefetch(context.at<float>(ref) + at, layer.row(), rows, layer.width(first));
  }

  void use(const Context& context, const Update& update, int64_t at, const float* gradient,
           int64_t rows, int64_t width) const {
    const int64_t row = layer.row();
    if (updates()) {
      update.apply(place_of(context, layer.weight, kept, at), row, gradient, FEATURES, rows, width);
      return;
    }
    float* to = context.at<float>(weight_gradient) + at;
    if (layer.units * row < LARGE) {
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(to + r * row, gradient + r * FEATURES, static_cast<size_t>(width) * 4);
      return;
    }
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < width; i += LANES)
        stream(to + r * row + i, load(gradient + r * FEATURES + i));
    end_streams();
  }

  void whole_bias(const Context& context) const {
    const Vectors z = vectors(context, layer.output_gradient);
    float* sums = updates() ? reinterpret_cast<float*>(context.scratch)
                            : context.at<float>(bias_gradient);
    sum_rows(z.at, z.stride, context.step.samples, layer.units, sums, false);
    if (!updates()) return;
    Rule mine = rule;
    mine.weight_decay = bias_weight_decay, mine.l1 = bias_l1, mine.l2 = bias_l2;
    Update(mine, context.step)
        .apply(place_of(context, bias, bias_kept, 0), 0, sums, 0, 1, pitch());
  }
};

}  // namespace

Entries dense_backward_kernels() {
  return {entry<DenseBackward>("dense_backward"),
          entry<DenseBackwardParts>("dense_backward_parts")};
}

}  // namespace striate
