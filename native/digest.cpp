#include "digest.h"

#include <algorithm>
#include <cstring>

namespace {

constexpr int SIDE_BY_SIDE = 8;  // words, so that none waits for the product of the one before
constexpr int64_t STEP = SIDE_BY_SIDE * sizeof(uint64_t);
constexpr uint64_t FACTOR = 0x9E3779B97F4A7C15;  // odd, and its bits have no order: the golden ratio

// Any bit of `word` changes half of the bits. In the product alone it would change but higher ones.
inline uint64_t mixed(uint64_t sum, uint64_t word) {
  const uint64_t product = (sum ^ word) * FACTOR;
  return product ^ (product >> 32);
}

inline void add(uint64_t* sums, const unsigned char* data, int64_t size) {
  uint64_t words[SIDE_BY_SIDE] = {};
  std::memcpy(words, data, size);
  for (int i = 0; i < SIDE_BY_SIDE; ++i) sums[i] = mixed(sums[i], words[i]);
}

void add_all(uint64_t* sums, const unsigned char* data, int64_t size) {
  int64_t at = 0;
  for (; at + STEP <= size; at += STEP) add(sums, data + at, STEP);
  if (at < size) add(sums, data + at, size - at);
}

void add_some(uint64_t* sums, const unsigned char* data, int64_t size, int64_t parts) {
  const int64_t last = size - STEP;
  for (int64_t part = 0; part < parts; ++part) add(sums, data + last * part / (parts - 1), STEP);
}

}  // namespace

uint64_t striate_digest(const striate_bytes* arrays, int64_t arrays_count, int64_t most) {
  uint64_t all = 0;
  for (const striate_bytes* array = arrays; array < arrays + arrays_count; ++array) {
    const auto* data = static_cast<const unsigned char*>(array->data);
    uint64_t sums[SIDE_BY_SIDE] = {};
    if (array->size <= most)
      add_all(sums, data, array->size);
    else
      add_some(sums, data, array->size, std::max<int64_t>(2, most / STEP));
    all = mixed(all, array->size);
    for (const uint64_t sum : sums) all = mixed(all, sum);
  }
  return all;
}
