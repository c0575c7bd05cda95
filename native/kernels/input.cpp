// Bringing samples into the arena: gathered by number, as floats, scaled.
#include "families.h"
#include "../vector.h"

namespace striate {
namespace {

// Where sample `i` of the batch lies in a source.
const char* sample_of(const Step& step, Int source, int64_t i) {
  const Source& from = step.sources[source];
  const int64_t number = step.order == nullptr ? step.first + i : step.order[step.first + i];
  return static_cast<const char*>(from.data) + number * from.stride;
}

// Gathers samples of `source` (uint8 or float32, rows of `width` pixels of `channels` values) into
// an image: value * scale + offset.
struct Load final : Kernel {
  Int source = 0, bytes = 1, height = 1, width = 1, channels = 1;
  Real scale = 1, offset = 0;
  View output;

  template <class V>
  void visit(V& v) {
    v("source", source), v("bytes", bytes), v("height", height), v("width", width);
    v("channels", channels), v("scale", scale), v("offset", offset), v("output", output);
  }

  void check(const Check& c) const override {
    c.between("source", source, 0, 63);
    c.that(bytes == 1 || bytes == 4, "values have 1 or 4 bytes");
    c.holds("output", output, height, width, channels, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i) {
      const char* sample = sample_of(context.step, source, i);
      for (int64_t y = 0; y < height; ++y)
        row(sample + y * width * channels * bytes, context.at(output, i) + y * output.row);
    }
  }

 private:
  void row(const char* from, float* to) const {
    const Vec a = all(static_cast<float>(scale)), b = all(static_cast<float>(offset));
    const int64_t run = output.pixel == channels ? width * channels : channels;
    for (int64_t done = 0; done < width * channels; done += run, to += output.pixel)
      for (int64_t k = 0; k < run; k += LANES)
        store_first(to + k, fma(values(from, done + k, run - k), a, b), run - k);
  }

  Vec values(const char* from, int64_t at, int64_t count) const {
    if (bytes == 4) return load_first(reinterpret_cast<const float*>(from) + at, count);
    const uint8_t* bytes_at = reinterpret_cast<const uint8_t*>(from) + at;
    if (count >= LANES) return load_bytes(bytes_at);
    Vec v{};
    for (int64_t i = 0; i < count; ++i) v[i] = bytes_at[i];
    return v;
  }
};

// Gathers the numbers of classes: uint8, int32 or int64, one per sample.
struct LoadLabels final : Kernel {
  Int source = 0, bytes = 1;
  Ref output;

  template <class V>
  void visit(V& v) {
    v("source", source), v("bytes", bytes), v("output", output);
  }

  void check(const Check& c) const override {
    c.between("source", source, 0, 63);
    c.that(bytes == 1 || bytes == 4 || bytes == 8, "labels have 1, 4 or 8 bytes");
    c.holds("output", output, 4, c.batch());
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i)
      *context.at<int32_t>(output, i) = label(sample_of(context.step, source, i));
  }

 private:
  int32_t label(const char* from) const {
    if (bytes == 1) return static_cast<uint8_t>(*from);
    if (bytes == 4) return read<int32_t>(from);
    return static_cast<int32_t>(read<int64_t>(from));
  }

  template <class T>
  static T read(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
};

}  // namespace

Entries input_kernels() { return {entry<Load>("load"), entry<LoadLabels>("load_labels")}; }

}  // namespace striate
