// Bringing results out of the arena.
#include "families.h"
#include "../vector.h"

namespace striate {
namespace {

// Writes an image of each sample, packed, into an array of the run: row `first + sample`.
struct Save final : Kernel {
  Int target = 0, height = 1, width = 1, channels = 1;
  View input;

  template <class V>
  void visit(V& v) {
    v("target", target), v("height", height), v("width", width), v("channels", channels);
    v("input", input);
  }

  void check(const Check& c) const override {
    c.between("target", target, 0, 63);
    c.holds("input", input, height, width, channels, c.batch());
  }

  External external() const override {
    return {target, height * width * channels * static_cast<Int>(sizeof(float)), true};
  }

  void run(const Context& context, Range range) const override {
    const Source& to = context.step.sources[target];
    for (int64_t i = range.begin; i < range.end; ++i) {
      char* sample = const_cast<char*>(static_cast<const char*>(to.data));
      float* out = reinterpret_cast<float*>(sample + (context.step.first + i) * to.stride);
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x, out += channels) {
          const float* pixel = context.at(input, i) + y * input.row + x * input.pixel;
          std::memcpy(out, pixel, static_cast<size_t>(channels) * sizeof(float));
        }
    }
  }
};

}  // namespace

Entries output_kernels() { return {entry<Save>("save")}; }

}  // namespace striate
