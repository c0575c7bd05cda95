// Bringing samples into the arena: gathered by number, as floats, scaled.
#include <algorithm>
#include <atomic>

#include "../random.h"
#include "../team.h"
#include "families.h"

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
struct Load : Kernel {
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

  External external() const override { return {source, height * width * channels * bytes}; }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i) {
      const char* sample = sample_of(context.step, source, i);
      float* to = context.at(output, i);
      const bool whole = output.pixel == channels && output.row == width * channels;
      const int64_t pixels = whole ? height * width : width;  // that lie without gaps
      for (int64_t y = 0; y * pixels < height * width; ++y)
        row(sample + y * pixels * channels * bytes, to + y * output.row, pixels);
    }
  }

 protected:
  void row(const char* from, float* to, int64_t pixels) const {
    const Vec a = all(static_cast<float>(scale)), b = all(static_cast<float>(offset));
    const int64_t run = output.pixel == channels ? pixels * channels : channels;
    for (int64_t done = 0; done < pixels * channels; done += run, to += output.pixel)
      for (int64_t k = 0; k < run; k += LANES)
        store_first(to + k, fma(values(from, done + k, run - k), a, b), run - k);
  }

 private:
  Vec values(const char* from, int64_t at, int64_t count) const {
    if (bytes == 4) return load_first(reinterpret_cast<const float*>(from) + at, count);
    const uint8_t* bytes_at = reinterpret_cast<const uint8_t*>(from) + at;
    if (count >= LANES) return load_bytes(bytes_at);
    Vec v{};
    for (int64_t i = 0; i < count; ++i) v[i] = bytes_at[i];
    return v;
  }
};

// The same from images of source_height x source_width, each read at a place of its own: flipped or
// not, and from a corner drawn evenly between -shift and source + shift - size, so that it is
// shifted (where the sizes are equal), cropped, or both.
struct LoadAugmented final : Load {
  enum Flip : Int { HORIZONTAL = 1, VERTICAL = 2 };
  enum Edge : Int { FILL, REFLECT, NEAREST };  // what lies around an image
  Int source_height = 1, source_width = 1, flip = 0, shift_y = 0, shift_x = 0, edge = FILL;
  Real fill = 0;  // in the source's own scale
  Int key = 0;

  template <class V>
  void visit(V& v) {
    Load::visit(v);
    v("source_height", source_height), v("source_width", source_width), v("flip", flip);
    v("shift_y", shift_y), v("shift_x", shift_x), v("edge", edge), v("fill", fill), v("key", key);
  }

  void check(const Check& c) const override {
    Load::check(c);
    constexpr int64_t LARGE = int64_t{1} << 20;
    for (const Int size : {height, width, channels, source_height, source_width})
      c.between("size", size, 1, LARGE);
    c.between("flip", flip, 0, HORIZONTAL | VERTICAL);
    c.between("edge", edge, FILL, NEAREST);
    c.between("shift_y", shift_y, 0, LARGE);
    c.between("shift_x", shift_x, 0, LARGE);
    c.that(source_height + 2 * shift_y >= height && source_width + 2 * shift_x >= width,
           "the image is larger than what it is cut out of");
  }

  int64_t scratch() const override { return width * channels * bytes; }
  External external() const override {
    return {source, source_height * source_width * channels * bytes};
  }

  void run(const Context& context, Range range) const override {
    for (int64_t i = range.begin; i < range.end; ++i) {
      const char* from = sample_of(context.step, source, i);
      if (bytes == 1)
        image<uint8_t>(context, from, i);
      else
        image<float>(context, from, i);
    }
  }

 private:
  // Cells of the source along one axis: from `first` on, forwards or backwards.
  struct Axis {
    Axis(const Random& random, int64_t draw, bool may_flip, int64_t size, int64_t source,
         int64_t shift)
        : size(size), source(source), flipped(may_flip && (random.bits(draw) & 1) != 0) {
      const uint64_t places = static_cast<uint64_t>(source + 2 * shift - size + 1);
      first = static_cast<int64_t>(random.bits(draw + 1) * places >> 32) - shift;
    }
    // The cell of the source that is read at i, or -1 for the fill.
    int64_t cell(int64_t i, Int edge) const {
      const int64_t at = first + (flipped ? size - 1 - i : i);
      if (at >= 0 && at < source) return at;
      if (edge == FILL) return -1;
      if (edge == NEAREST) return at < 0 ? 0 : source - 1;
      const int64_t turn = ((at % (2 * source)) + 2 * source) % (2 * source);
      return turn < source ? turn : 2 * source - 1 - turn;
    }
    bool plain() const { return !flipped && first >= 0 && first + size <= source; }

    int64_t size, source;
    bool flipped;
    int64_t first;
  };

  template <class T>
  void image(const Context& context, const char* from, int64_t sample) const {
    const Random random(context.step, key, sample);
    const Axis rows(random, 0, (flip & VERTICAL) != 0, height, source_height, shift_y);
    const Axis columns(random, 2, (flip & HORIZONTAL) != 0, width, source_width, shift_x);
    for (int64_t y = 0; y < height; ++y) {
      const int64_t cell = rows.cell(y, edge);
      const T* line = reinterpret_cast<const T*>(from) + cell * source_width * channels;
      if (cell >= 0 && columns.plain())
        line += columns.first * channels;
      else
        line = moved(cell < 0 ? nullptr : line, columns, reinterpret_cast<T*>(context.scratch));
      row(reinterpret_cast<const char*>(line), context.at(output, sample) + y * output.row, width);
    }
  }

  template <class T>
  const T* moved(const T* line, const Axis& columns, T* to) const {
    const T around = static_cast<T>(fill);
    for (int64_t x = 0; x < width; ++x) {
      const int64_t cell = line == nullptr ? -1 : columns.cell(x, edge);
      for (int64_t c = 0; c < channels; ++c)
        to[x * channels + c] = cell < 0 ? around : line[cell * channels + c];
    }
    return to;
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

  External external() const override { return {source, bytes}; }

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

Entries input_kernels() { return {entry<Load>("load"), entry<LoadAugmented>("load_augmented"),
          entry<LoadLabels>("load_labels")}; }

}  // namespace striate

#pragma GCC visibility push(default)
// to[i][k] = table[rows[places[i]][k]] for `count` places and `size` bytes of a row; 1, or 0 and
// nothing is done where a place is not one of the `rows_count` rows.
extern "C" int64_t striate_look_up(const uint8_t* rows, int64_t rows_count, int64_t size,
                                   const int64_t* places, int64_t count, const float* table,
                                   float* to, int64_t threads) {
  using namespace striate;
  constexpr double ONE_NS = 0.5;  // of a thread, for a byte
  for (int64_t i = 0; i < count; ++i)
    if (places[i] < 0 || places[i] >= rows_count) return 0;
  std::atomic<int64_t> next{0};
  Team::share(threads, ONE_NS * static_cast<double>(count * size), [&] {
    for (int64_t i = next++; i < count; i = next++) {
      const uint8_t* row = rows + places[i] * size;
      float* out = to + i * size;
      for (int64_t k = 0; k < size; ++k) out[k] = table[row[k]];
    }
  });
  return 1;
}
#pragma GCC visibility pop
