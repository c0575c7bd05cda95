// A number that tells whether arrays are what they were.
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
extern "C" {
struct striate_bytes {
  const void* data;
  int64_t size;
};
// The same number for the same bytes; another, but for one chance in 2^64, for any others. Of arrays
// of more than `most` bytes some are looked at, from the first to the last.
uint64_t striate_digest(const striate_bytes* arrays, int64_t arrays_count, int64_t most);
}
#pragma GCC visibility pop
