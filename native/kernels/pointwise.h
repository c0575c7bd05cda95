// Walking over images number by number: shared by the kernels that take each number by itself.
#pragma once

#include <initializer_list>

#include "../plan.h"
#include "../vector.h"

namespace striate {

// As many numbers of a line as a vector has, or, where fewer are left, `count` of them.
struct Part {
  int64_t at;
  int64_t count;
};

// Numbers that lie one after the other; behind those of a padded line there is room for zeros up to
// the end of a group.
struct Line {
  float* data;
  bool padded;

  STRIATE_INLINE Vec get(Part part) const { return load_first(data + part.at, part.count); }
  STRIATE_INLINE void put(Part part, Vec v) const {
    if (part.count >= LANES)
      store(data + part.at, v);
    else if (padded)
      store(data + part.at, keep_first(v, part.count));
    else
      store_first(data + part.at, v, part.count);
  }
};

// Calls f(part) for `count` numbers, and for the zeros behind them where lines are padded.
template <class F>
STRIATE_INLINE void each_part(int64_t count, bool padded, const F& f) {
  int64_t at = 0;
  for (; at + LANES <= count; at += LANES) f(Part{at, LANES});
  const int64_t end = padded ? round_up(count, GROUP) : count;
  for (; at < end; at += LANES) f(Part{at, count - at});
}

// Of buffers with a number for each channel: their bytes, and a part of them.
inline int64_t channel_bytes(int64_t channels) {
  return round_up(channels, GROUP) * static_cast<int64_t>(sizeof(float));
}
STRIATE_INLINE Vec channel_values(const Context& context, Ref ref, Part part, float otherwise) {
  return given(ref) ? load_first(context.at<float>(ref) + part.at, part.count) : all(otherwise);
}

struct Size {
  int64_t height, width, channels;
};

// One value for all places of an image: it lies at the origin.
inline bool spread(const View& view) { return view.row == 0 && view.pixel == 0; }

inline bool padded(const View& view) { return view.pixel % GROUP == 0; }

// The lines that images of one size have in common: their pixels, or their rows or the whole of
// them where nothing lies between. Images that are not given do not count.
struct Lines {
  Lines(Size size, std::initializer_list<View> views, bool join = true)
      : rows(size.height), pixels(size.width), count(size.channels) {
    bool pixels_touch = join, rows_touch = true, any_padded = false;
    for (const View& view : views) {
      if (!given(view)) continue;
      pixels_touch = pixels_touch && (view.pixel == count || size.width * size.height == 1);
      rows_touch = rows_touch && (view.row == count * size.width || size.height == 1);
      any_padded = any_padded || striate::padded(view);
    }
    joined = pixels_touch && (!any_padded || count % GROUP == 0);
    padded = any_padded && !joined;
    if (!joined) return;
    count *= pixels, pixels = 1;
    if (rows_touch) count *= rows, rows = 1;
  }

  STRIATE_INLINE Line at(const Context& context, const View& view, int64_t sample, int64_t y,
                         int64_t x) const {
    if (!given(view)) return {nullptr, false};
    return {context.at(view, sample) + y * view.row + x * view.pixel,
            padded && striate::padded(view)};
  }

  int64_t rows, pixels, count;
  bool joined, padded;
};

// Calls f(part, line of each view) for all numbers of a sample's images; lines of views that are
// not given are null.
template <class F, class... Views>
STRIATE_INLINE void each_number(const Context& context, int64_t sample, Size size, const F& f,
                                const Views&... views) {
  const Lines lines(size, {views...});
  const auto line = [&](const auto... here) __attribute__((always_inline)) {
    each_part(lines.count, lines.padded,
              [&](Part part) __attribute__((always_inline)) { f(part, here...); });
  };
  for (int64_t y = 0; y < lines.rows; ++y)
    for (int64_t x = 0; x < lines.pixels; ++x) line(lines.at(context, views, sample, y, x)...);
}

}  // namespace striate
