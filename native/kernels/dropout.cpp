// Dropout by itself, where no other kernel does it on the way.
#include "pointwise.h"

#include "../random.h"
#include "families.h"

namespace striate {
namespace {

// Zero in the place of a share `rate` of the numbers, or of the channels of each sample; the others
// scaled by 1 / (1 - rate). On the gradients, with the same key, it is its own backward.
struct Drop final : Kernel {
  View input, output;
  Int height = 1, width = 1, channels = 1;
  Real rate = 0;
  Int key = 0, per_channel = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
    v("rate", rate), v("key", key), v("per_channel", per_channel);
  }

  void check(const Check& c) const override {
    c.that(rate >= 0 && rate < 1, "the rate of a dropout is in [0, 1)");
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output", output, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    const Lines lines({height, width, channels}, {input, output}, per_channel == 0);
    for (int64_t i = range.begin; i < range.end; ++i) {
      const Dropout dropout(context.step, key, i, rate);
      for (int64_t y = 0; y < lines.rows; ++y)
        for (int64_t x = 0; x < lines.pixels; ++x) {
          const Line from = lines.at(context, input, i, y, x);
          const Line to = lines.at(context, output, i, y, x);
          const int64_t first = per_channel ? 0 : (y * lines.pixels + x) * lines.count;
          each_part(lines.count, lines.padded, [&](Part part) {
            to.put(part, dropout.drop(from.get(part), first + part.at));
          });
        }
    }
  }
};

}  // namespace

Entries dropout_kernels() { return {entry<Drop>("drop")}; }

}  // namespace striate
