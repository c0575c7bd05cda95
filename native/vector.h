// The vector of floats that every kernel is written with, as wide as the instruction set that this
// file is compiled for. One library is compiled per instruction set; nothing here is chosen at run
// time.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace striate {

#if defined(__AVX512F__)
constexpr int LANES = 16;
constexpr int REGISTERS = 32;
#elif defined(__AVX2__)
constexpr int LANES = 8;
constexpr int REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int LANES = 4;
constexpr int REGISTERS = 32;
#else
constexpr int LANES = 4;
constexpr int REGISTERS = 16;
#endif

// What a core has of its second-level cache, at least: processors with AVX-512 have 1 MB or more.
constexpr int64_t L2_BYTES = int64_t{LANES == 16 ? 1 << 20 : 1 << 19};

// Channels are stored in groups of 16, whatever the width of a vector, so that one layout of
// weights and activations serves every instruction set.
constexpr int GROUP = 16;
constexpr int VECTORS_PER_GROUP = GROUP / LANES;

typedef float Vec __attribute__((vector_size(LANES * 4)));
typedef int32_t IntVec __attribute__((vector_size(LANES * 4)));
typedef uint32_t UintVec __attribute__((vector_size(LANES * 4)));
typedef uint8_t ByteVec __attribute__((vector_size(LANES)));

#define STRIATE_INLINE inline __attribute__((always_inline))

template <class To, class From>
STRIATE_INLINE To bit_cast(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

STRIATE_INLINE Vec load(const float* from) {
  Vec v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

STRIATE_INLINE void store(float* to, Vec v) { std::memcpy(to, &v, sizeof v); }

// Writes past the caches what is read much later, to a multiple of the vector's bytes; `end_streams`
// comes before another thread reads it.
STRIATE_INLINE void stream(float* to, Vec v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, v);
#elif defined(__AVX2__)
  _mm256_stream_ps(to, v);
#else
  store(to, v);
#endif
}

STRIATE_INLINE void end_streams() {
#if defined(__AVX2__) || defined(__AVX512F__)
  _mm_sfence();
#endif
}

STRIATE_INLINE Vec all(float x) { return x - Vec{}; }

STRIATE_INLINE IntVec all(int32_t x) { return x - IntVec{}; }

// a * b + c, in one rounding where the instruction set has it (-ffp-contract=fast).
STRIATE_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }

// As the instruction maxps: the second operand where the two cannot be compared.
STRIATE_INLINE Vec max(Vec a, Vec b) {
#if defined(__AVX512F__)
  return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

STRIATE_INLINE Vec min(Vec a, Vec b) {
#if defined(__AVX512F__)
  return _mm512_min_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

STRIATE_INLINE Vec sqrt(Vec a) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(a);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(a);
#else
  for (int i = 0; i < LANES; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
#endif
}

// 0, 1, 2, ... one number per lane.
STRIATE_INLINE IntVec lane_numbers() {
  IntVec v;
  for (int i = 0; i < LANES; ++i) v[i] = i;
  return v;
}

// The first `count` lanes of v, zero in the others; count <= 0 gives zero.
STRIATE_INLINE Vec keep_first(Vec v, int64_t count) {
  const int32_t few = count < LANES ? static_cast<int32_t>(count) : LANES;
  return lane_numbers() < all(few) ? v : Vec{};
}

// The first `count` floats from memory, which need not go on after them; zero in the other lanes.
STRIATE_INLINE Vec load_first(const float* from, int64_t count) {
  if (count >= LANES) return load(from);
  if (count <= 0) return Vec{};
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#elif defined(__AVX2__)
  const IntVec which = lane_numbers() < all(static_cast<int32_t>(count));
  return _mm256_maskload_ps(from, bit_cast<__m256i>(which));
#else
  Vec v{};
  std::memcpy(&v, from, static_cast<size_t>(count) * sizeof(float));
  return v;
#endif
}

// Writes the first `count` lanes; memory behind them is left alone.
STRIATE_INLINE void store_first(float* to, Vec v, int64_t count) {
  if (count >= LANES) {
    store(to, v);
    return;
  }
  if (count <= 0) return;
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), v);
#elif defined(__AVX2__)
  // A masked store takes a dozen cycles on some processors; `count` rarely changes in a loop.
  __m128 rest = _mm256_castps256_ps128(v);
  if ((count & 4) != 0) {
    _mm_storeu_ps(to, rest);
    rest = _mm256_extractf128_ps(v, 1), to += 4;
  }
  if ((count & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(to), rest);
    rest = _mm_movehl_ps(rest, rest), to += 2;
  }
  if ((count & 1) != 0) _mm_store_ss(to, rest);
#else
  std::memcpy(to, &v, static_cast<size_t>(count) * sizeof(float));
#endif
}

// Sum of the lanes, in a fixed order: halves are added until one number is left.
STRIATE_INLINE float sum(Vec v) {
#if defined(__AVX512F__)
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
#elif defined(__AVX2__)
  const __m256 half = v;
#endif
#if defined(__AVX2__) || defined(__AVX512F__)
  const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
#else
  return (v[0] + v[2]) + (v[1] + v[3]);
#endif
}

// Numbers from 0 to 255 as bytes.
STRIATE_INLINE void store_bytes(uint8_t* to, IntVec v) {
#if defined(__AVX512F__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(bit_cast<__m512i>(v)));
#elif defined(__AVX2__)
  const auto all_of = bit_cast<__m256i>(v);
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(all_of),
                                         _mm256_extracti128_si256(all_of, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
#else
  const ByteVec bytes = __builtin_convertvector(v, ByteVec);
  std::memcpy(to, &bytes, sizeof bytes);
#endif
}

// Bytes as integers. (__builtin_convertvector moves them one by one.)
STRIATE_INLINE IntVec load_index(const uint8_t* from) {
#if defined(__AVX512F__)
  const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return bit_cast<IntVec>(_mm512_cvtepu8_epi32(bytes));
#elif defined(__AVX2__)
  const auto bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return bit_cast<IntVec>(_mm256_cvtepu8_epi32(bytes));
#else
  ByteVec bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, IntVec);
#endif
}

// Bytes as floats.
STRIATE_INLINE Vec load_bytes(const uint8_t* from) {
  return __builtin_convertvector(load_index(from), Vec);
}

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
constexpr int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

}  // namespace striate
