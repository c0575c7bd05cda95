// Reading each image where an affine map that is drawn for it leads: turned, zoomed, shifted,
// mirrored.
#include <algorithm>
#include <cmath>

#include "../random.h"
#include "families.h"

namespace striate {
namespace {

// Place (x, y), counted from the centre, is read at
//   x' = wide * (cos(angle) * x - sin(angle) * y) - right
//   y' = tall * (sin(angle) * x + cos(angle) * y) - down
// of the image, which `mirror` may have turned over first. Every number is drawn evenly from low to
// high for each sample; shifts are in pixels. Between pixels is their bilinear mean or, with
// `nearest`, the nearest of them; shifts are whole pixels then.
struct Warp final : Kernel {
  enum Mirror : Int { COLUMNS = 1, ROWS = 2 };
  enum Edge : Int { CONSTANT, BORDER, REFLECT, WRAP };  // what lies around an image
  View input, output;
  Int height = 1, width = 1, channels = 1;
  Real angle_low = 0, angle_high = 0, tall_low = 1, tall_high = 1, wide_low = 1, wide_high = 1;
  Real down_low = 0, down_high = 0, right_low = 0, right_high = 0;
  Int wide_as_tall = 0, mirror = 0, nearest = 0, edge = CONSTANT;
  Real fill = 0;
  Int key = 0;

  template <class V>
  void visit(V& v) {
    v("input", input), v("output", output);
    v("height", height), v("width", width), v("channels", channels);
    v("angle_low", angle_low), v("angle_high", angle_high);
    v("tall_low", tall_low), v("tall_high", tall_high);
    v("wide_low", wide_low), v("wide_high", wide_high);
    v("down_low", down_low), v("down_high", down_high);
    v("right_low", right_low), v("right_high", right_high);
    v("wide_as_tall", wide_as_tall), v("mirror", mirror), v("nearest", nearest), v("edge", edge);
    v("fill", fill), v("key", key);
  }

  void check(const Check& c) const override {
    c.holds("input", input, height, width, channels, c.batch());
    c.holds("output", output, height, width, channels, c.batch());
    c.that(input.ref.buffer != output.ref.buffer, "an image is not read where it is written");
    c.between("mirror", mirror, 0, COLUMNS | ROWS);
    c.between("edge", edge, CONSTANT, WRAP);
    constexpr double LARGE = 1 << 20;
    c.that(scratch() < int64_t{1} << 31, "the image is too large");
    for (const Real bound : {angle_low, angle_high, tall_low, tall_high, wide_low, wide_high,
                             down_low, down_high, right_low, right_high})
      c.that(std::abs(bound) <= LARGE, "the bounds of a draw are no numbers of a usual size");
  }

  int64_t scratch() const override {
    return (height + FRAME) * (width + FRAME) * channels * static_cast<int64_t>(sizeof(float));
  }

  void run(const Context& context, Range range) const override {
    float* framed = reinterpret_cast<float*>(context.scratch);
    for (int64_t i = range.begin; i < range.end; ++i) {
      frame(context.at(input, i), framed);
      const Map map(*this, Random(context.step, key, i));
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; x += LANES)
          pixels(framed, map, x, y, context.at(output, i) + y * output.row + x * output.pixel);
    }
  }

 private:
  // Cells around the image, so that places are read without looking where the image ends: one
  // before it, two behind.
  static constexpr int64_t FRAME = 3;

  // The map of one sample.
  struct Map {
    Map(const Warp& warp, const Random& random)
        : middle_x((warp.width - 1) / 2.0f), middle_y((warp.height - 1) / 2.0f) {
      const auto drawn = [&](int64_t index, double low, double high) {
        return low + (high - low) * (random.bits(index) * 0x1p-32);
      };
      const auto whole = [&](double shift) { return warp.nearest ? std::nearbyint(shift) : shift; };
      const double angle = drawn(0, warp.angle_low, warp.angle_high);
      const double tall = drawn(1, warp.tall_low, warp.tall_high);
      const double wide = warp.wide_as_tall ? tall : drawn(2, warp.wide_low, warp.wide_high);
      const double down = whole(drawn(3, warp.down_low, warp.down_high));
      const double right = whole(drawn(4, warp.right_low, warp.right_high));
      const double side_x = (warp.mirror & COLUMNS) && (random.bits(5) & 1) ? -1 : 1;
      const double side_y = (warp.mirror & ROWS) && (random.bits(6) & 1) ? -1 : 1;
      xx = static_cast<float>(side_x * wide * std::cos(angle));
      xy = static_cast<float>(side_x * wide * -std::sin(angle));
      yx = static_cast<float>(side_y * tall * std::sin(angle));
      yy = static_cast<float>(side_y * tall * std::cos(angle));
      x0 = static_cast<float>(middle_x - side_x * right);
      y0 = static_cast<float>(middle_y - side_y * down);
    }
    // Of the pixels x, x + 1, ... of row y: where each is read on either axis.
    STRIATE_INLINE Vec along_x(Vec x, float y) const { return xx * x + (xy * y + x0); }
    STRIATE_INLINE Vec along_y(Vec x, float y) const { return yx * x + (yy * y + y0); }

    float middle_x, middle_y, xx, xy, yx, yy, x0, y0;
  };

  // The image without gaps, with what lies around it.
  void frame(const float* from, float* to) const {
    for (int64_t y = -1; y < height + FRAME - 1; ++y) {
      const bool in = edge == WRAP || (y >= 0 && y < height);
      const float* row = in ? from + (y + height) % height * input.row : nullptr;
      to = cell(row, -1, to);
      if (in && input.pixel == channels)
        to = std::copy(row, row + width * channels, to);
      else
        for (int64_t x = 0; x < width; ++x) to = cell(row, x, to);
      for (int64_t x = width; x < width + FRAME - 1; ++x) to = cell(row, x, to);
    }
  }

  float* cell(const float* row, int64_t x, float* to) const {
    const bool in = row != nullptr && (edge == WRAP || (x >= 0 && x < width));
    if (!in) return std::fill_n(to, channels, static_cast<float>(fill));
    const float* from = row + (x + width) % width * input.pixel;
    return std::copy(from, from + channels, to);
  }

  // A vector of pixels of one row.
  STRIATE_INLINE void pixels(const float* framed, const Map& map, int64_t x, int64_t y,
                             float* to) const {
    const Vec from_x = __builtin_convertvector(lane_numbers(), Vec) + (x - map.middle_x);
    const float from_y = y - map.middle_y;
    const Vec column = inside(map.along_x(from_x, from_y), width);
    const Vec row = inside(map.along_y(from_x, from_y), height);
    const IntVec left = whole(column), top = whole(row);
    const Vec right = column - __builtin_convertvector(left, Vec);
    const Vec bottom = row - __builtin_convertvector(top, Vec);
    const int32_t line = static_cast<int32_t>((width + FRAME) * channels);
    const int32_t pixel = static_cast<int32_t>(channels);
    const IntVec at = (top + 1) * line + (left + 1) * pixel;
    const int64_t count = std::min<int64_t>(LANES, width - x);
    for (int32_t c = 0; c < pixel; ++c) {
      const float* corner = framed + c;
      const Vec upper = mean(gather(corner, at), gather(corner + pixel, at), right);
      const Vec lower = mean(gather(corner + line, at), gather(corner + line + pixel, at), right);
      const Vec found = mean(upper, lower, bottom);
      if (output.pixel == 1)
        store_first(to, found, count);
      else
        for (int64_t i = 0; i < count; ++i) to[i * output.pixel + c] = found[i];
    }
    for (int64_t i = 0; i < count; ++i)
      for (int64_t c = channels; c < written(output, channels); ++c) to[i * output.pixel + c] = 0;
  }

  STRIATE_INLINE static Vec mean(Vec low, Vec high, Vec part) { return low + part * (high - low); }

  STRIATE_INLINE static Vec gather(const float* from, IntVec at) {
#if defined(__AVX512F__)
    return _mm512_i32gather_ps(bit_cast<__m512i>(at), from, sizeof(float));
#elif defined(__AVX2__)
    return _mm256_i32gather_ps(from, bit_cast<__m256i>(at), sizeof(float));
#else
    Vec v;
    for (int i = 0; i < LANES; ++i) v[i] = from[at[i]];
    return v;
#endif
  }

  // Places from -1 to size, where the frame tells what is read: those beyond it are brought there,
  // whatever they are. (Of max and min, the second argument is what becomes of no number.)
  STRIATE_INLINE Vec inside(Vec place, int64_t size) const {
    const Vec zero{}, last = all(static_cast<float>(size - 1)), turn = all(2.0f * size);
    if (edge == REFLECT) {  // pixels reach half a cell beyond their middles: so do the mirrors
      const Vec along = place + 0.5f - turn * floor((place + 0.5f) / turn);
      place = min(along, turn - along) - 0.5f;
    } else if (edge == WRAP) {
      place -= (last + 1) * floor(place / (last + 1));
    }
    const bool beyond = edge == CONSTANT || edge == WRAP;
    place = min(max(place, beyond ? zero - 1 : zero), beyond ? last + 1 : last);
    return nearest ? round(place) : place;
  }

  STRIATE_INLINE static IntVec whole(Vec place) {
    return __builtin_convertvector(floor(place), IntVec);
  }

  STRIATE_INLINE static Vec floor(Vec v) {
    const Vec cut = __builtin_convertvector(__builtin_convertvector(v, IntVec), Vec);
    return cut > v ? cut - 1 : cut;
  }

  // To the nearest whole number, of two the even one: no float this large has a fraction.
  STRIATE_INLINE static Vec round(Vec v) {
    constexpr float LARGE = 3 << 22;
    return (v + LARGE) - LARGE;
  }
};

}  // namespace

Entries warp_kernels() { return {entry<Warp>("warp")}; }

}  // namespace striate
