// 8 lanes of AVX2 with FMA.
#pragma once
#include <immintrin.h>

#include "base/half.h"

namespace pyfm::PYFM_ISA {
namespace {

// Random bits for rounding, see model/rounding.h.
struct Noise {
  __m256i bits;

  explicit Noise(std::uint32_t* seeds) {
    __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(seeds));
    x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 13));
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 17));
    bits = x = _mm256_xor_si256(x, _mm256_slli_epi32(x, 5));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(seeds), x);
  }
  __m256i next() {
    bits = _mm256_add_epi32(bits, _mm256_set1_epi32(static_cast<int>(kWeyl)));
    return _mm256_mullo_epi32(bits, bits);
  }
};

struct Vec {
  using Mask = __m256;
  using Bits = __m256i;
  static constexpr int lanes = 8;
  __m256 v;

  Vec() = default;
  Vec(__m256 x) : v(x) {}
  explicit Vec(float x) : v(_mm256_set1_ps(x)) {}

  static Vec load(const float* p) { return _mm256_loadu_ps(p); }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  // A part of a vector is always 4 floats. Loads have to wait long for what masked stores wrote.
  static Vec load_partial(const float* p, int) { return _mm256_zextps128_ps256(_mm_loadu_ps(p)); }
  void store_partial(float* p, int) const { _mm_storeu_ps(p, _mm256_castps256_ps128(v)); }

  static Vec load(const Half* p) { return _mm256_cvtph_ps(_mm_loadu_si128(at(p))); }
  static Vec load_partial(const Half* p, int) { return _mm256_cvtph_ps(_mm_loadl_epi64(at(p))); }
  void store(Half* p, Bits up) const { _mm_storeu_si128(at(p), half(up)); }
  void store_partial(Half* p, int, Bits up) const { _mm_storel_epi64(at(p), half(up)); }
  __m128i half(Bits up) const {
    const __m256i x =
        _mm256_add_epi32(_mm256_castps_si256(v), _mm256_srli_epi32(up, 32 - kCutBits));
    return _mm256_cvtps_ph(_mm256_castsi256_ps(x), _MM_FROUND_TO_ZERO);
  }

 private:
  static const __m128i* at(const void* p) { return static_cast<const __m128i*>(p); }
  static __m128i* at(void* p) { return static_cast<__m128i*>(p); }
};

inline Vec::Bits same_bits(std::uint32_t x) {
  return _mm256_set1_epi32(static_cast<int>(x));
}

inline Vec operator+(Vec a, Vec b) {
  return _mm256_add_ps(a.v, b.v);
}
inline Vec operator-(Vec a, Vec b) {
  return _mm256_sub_ps(a.v, b.v);
}
inline Vec operator*(Vec a, Vec b) {
  return _mm256_mul_ps(a.v, b.v);
}
inline Vec operator/(Vec a, Vec b) {
  return _mm256_div_ps(a.v, b.v);
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return _mm256_fmadd_ps(a.v, b.v, c.v);
}
inline Vec sqrt(Vec a) {
  return _mm256_sqrt_ps(a.v);
}
inline Vec abs(Vec a) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v);
}
inline float sum(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

// a 2^n, for integral n whose result is a normal number.
inline Vec times_power_of_two(Vec a, Vec n) {
  const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n.v), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a.v), exponent));
}

// 1/√a by the processor's table, 12 bits of it.
inline Vec inverse_sqrt_estimate(Vec a) {
  return _mm256_rsqrt_ps(a.v);
}
// w - 2 half g / √a: about 23 bits after one Newton step, whose y (3 - a y²) / 2 gives its factor ½
// to the caller's constant.
inline Vec sub_twice_over_sqrt(Vec w, Vec half, Vec g, Vec a) {
  const Vec y = inverse_sqrt_estimate(a);
  const Vec e = _mm256_fnmadd_ps((a * y).v, y.v, Vec(3.0f).v);
  return _mm256_fnmadd_ps((half * g * y).v, e.v, w.v);
}

inline Vec copysign(Vec magnitude, Vec sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_and_ps(bit, sign.v), _mm256_andnot_ps(bit, magnitude.v));
}

inline Vec::Mask less_equal(Vec a, Vec b) {
  return _mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ);
}
inline Vec::Mask nonzero(Vec a) {
  return _mm256_cmp_ps(a.v, _mm256_setzero_ps(), _CMP_NEQ_UQ);
}
inline Vec select(Vec::Mask mask, Vec yes, Vec no) {
  return _mm256_blendv_ps(no.v, yes.v, mask);
}

// Blocks of K numbers that lie at[0], at[1] … numbers behind p, as one vector, and back.
template <int K>
[[gnu::always_inline]] inline Vec load_apart(const float* p, const std::int64_t* at) {
  static_assert(K == 4);
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + at[0])),
                              _mm_loadu_ps(p + at[1]), 1);
}
template <int K>
[[gnu::always_inline]] inline Vec load_apart(const Half* p, const std::int64_t* at) {
  static_assert(K == 4);
  const auto block = [&](int i) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + at[i]));
  };
  return _mm256_cvtph_ps(_mm_unpacklo_epi64(block(0), block(1)));
}
template <int K>
[[gnu::always_inline]] inline void store_apart(Vec v, float* p, const std::int64_t* at, auto) {
  _mm_storeu_ps(p + at[0], _mm256_castps256_ps128(v.v));
  _mm_storeu_ps(p + at[1], _mm256_extractf128_ps(v.v, 1));
}
template <int K>
[[gnu::always_inline]] inline void store_apart(Vec v, Half* p, const std::int64_t* at,
                                               Vec::Bits up) {
  const __m128i x = v.half(up);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p + at[0]), x);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p + at[1]), _mm_unpackhi_epi64(x, x));
}

// Transposes a tile of lanes / K vectors whose elements are groups of K floats.
template <int K>
inline void transpose_groups(Vec (&t)[Vec::lanes / K]) {
  static_assert(K == 4 || K == 8);
  if constexpr (K == 4) {
    const __m256 a = t[0].v, b = t[1].v;
    t[0] = _mm256_permute2f128_ps(a, b, 0x20);
    t[1] = _mm256_permute2f128_ps(a, b, 0x31);
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
