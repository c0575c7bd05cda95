// Random numbers that are a function of where they are used, so that they need no state and do not
// depend on the order of work: the number of element `index` of sample `sample` at step `number` of
// a training with `seed`, for the use `key`. Integer arithmetic only: the same bits everywhere.
#pragma once

#include "plan.h"
#include "vector.h"

namespace striate {

// The finalizer of SplitMix64 (Stafford's variant 13): every bit of x changes every bit of it.
STRIATE_INLINE uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The numbers of one sample: 32 random bits for each element.
class Random {
 public:
  Random(uint64_t seed, int64_t number, int64_t key, int64_t sample) {
    // 2^64 / golden ratio, so that 0 is no fixed point.
    constexpr uint64_t STEP = 0x9e3779b97f4a7c15u;
    uint64_t state = mix(seed + STEP);
    for (int64_t word : {number, key, sample})
      state = mix((state ^ static_cast<uint64_t>(word)) + STEP);
    first_ = static_cast<uint32_t>(state);
    second_ = static_cast<uint32_t>(state >> 32);
  }
  Random(const Step& step, int64_t key, int64_t sample)
      : Random(step.seed, step.number, key, sample) {}

  uint32_t bits(int64_t index) const { return hash(static_cast<uint32_t>(index)); }

  // Of the elements index, index + 1, ... of the lanes.
  STRIATE_INLINE UintVec vector_of_bits(int64_t index) const {
    return hash(static_cast<uint32_t>(index) + bit_cast<UintVec>(lane_numbers()));
  }

 private:
  // Two rounds of multiplication and shift with the constants of lowbias32 (Wellons, "Prospecting
  // for hash functions"). Each half of the key enters before a round: streams of two keys that
  // share a half are no shifted copies of each other.
  template <class T>
  STRIATE_INLINE T hash(T x) const {
    x += first_;
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x += second_;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
  }

  uint32_t first_, second_;
};

// Dropout of one sample: keeps an element, scaled by 1 / (1 - rate), iff its bits >= rate * 2^32.
class Dropout {
 public:
  Dropout(const Step& step, int64_t key, int64_t sample, double rate)
      : random_(step, key, sample),
        threshold_(static_cast<uint32_t>(rate * 4294967296.0)),
        scale_(static_cast<float>(1 / (1 - rate))) {}

  float scale() const { return scale_; }
  bool keeps(int64_t index) const { return random_.bits(index) >= threshold_; }
  // All bits set in the lanes that are kept.
  STRIATE_INLINE IntVec keeps_vector(int64_t index) const {
    return bit_cast<IntVec>(random_.vector_of_bits(index) >= threshold_);
  }
  STRIATE_INLINE Vec drop(Vec v, int64_t index) const {
    return keeps_vector(index) ? v * scale_ : Vec{};
  }

 private:
  Random random_;
  uint32_t threshold_;
  float scale_;
};

}  // namespace striate
