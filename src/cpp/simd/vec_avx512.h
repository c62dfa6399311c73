// 16 lanes of AVX-512 (F, BW, DQ, VL).
#pragma once
#include <immintrin.h>

#include "base/half.h"

namespace pyfm::PYFM_ISA {
namespace {

// Random bits for rounding, see model/rounding.h.
struct Noise {
  __m512i bits;

  explicit Noise(std::uint32_t* seeds) {
    __m512i x = _mm512_loadu_si512(seeds);
    x = _mm512_xor_si512(x, _mm512_slli_epi32(x, 13));
    x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 17));
    bits = x = _mm512_xor_si512(x, _mm512_slli_epi32(x, 5));
    _mm512_storeu_si512(seeds, x);
  }
  __m512i next() {
    bits = _mm512_add_epi32(bits, _mm512_set1_epi32(static_cast<int>(kWeyl)));
    return _mm512_mullo_epi32(bits, bits);
  }
};

struct Vec {
  using Mask = __mmask16;
  using Bits = __m512i;
  static constexpr int lanes = 16;
  __m512 v;

  Vec() = default;
  Vec(__m512 x) : v(x) {}
  explicit Vec(float x) : v(_mm512_set1_ps(x)) {}

  static Vec load(const float* p) { return _mm512_loadu_ps(p); }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  // A part of a vector is 4, 8 or 12 floats. Loads have to wait long for what masked stores wrote.
  static Vec load_partial(const float* p, int n) {
    if (n == 4) return _mm512_zextps128_ps512(_mm_loadu_ps(p));
    if (n == 8) return _mm512_zextps256_ps512(_mm256_loadu_ps(p));
    return _mm512_maskz_loadu_ps(first(n), p);
  }
  void store_partial(float* p, int n) const {
    if (n == 4)
      _mm_storeu_ps(p, _mm512_castps512_ps128(v));
    else if (n == 8)
      _mm256_storeu_ps(p, _mm512_castps512_ps256(v));
    else
      _mm512_mask_storeu_ps(p, first(n), v);
  }

  static Vec load(const Half* p) { return _mm512_cvtph_ps(load16(p)); }
  static Vec load_partial(const Half* p, int n) { return _mm512_cvtph_ps(load16(p, n)); }
  void store(Half* p, Bits up) const { store16(half(up), p); }
  void store_partial(Half* p, int n, Bits up) const { store16(half(up), p, n); }
  __m256i half(Bits up) const {
    const __m512i x =
        _mm512_add_epi32(_mm512_castps_si512(v), _mm512_srli_epi32(up, 32 - kCutBits));
    return _mm512_cvtps_ph(_mm512_castsi512_ps(x), _MM_FROUND_TO_ZERO);
  }

 private:
  static __m256i load16(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  static __m256i load16(const void* p, int n) {
    if (n == 4) return _mm256_zextsi128_si256(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
    if (n == 8) return _mm256_zextsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(p)));
    return _mm256_maskz_loadu_epi16(first(n), p);
  }
  static void store16(__m256i x, void* p) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
  static void store16(__m256i x, void* p, int n) {
    if (n == 4)
      _mm_storel_epi64(static_cast<__m128i*>(p), _mm256_castsi256_si128(x));
    else if (n == 8)
      _mm_storeu_si128(static_cast<__m128i*>(p), _mm256_castsi256_si128(x));
    else
      _mm256_mask_storeu_epi16(p, first(n), x);
  }
  static Mask first(int n) { return static_cast<Mask>((1u << n) - 1); }
};

inline Vec::Bits same_bits(std::uint32_t x) {
  return _mm512_set1_epi32(static_cast<int>(x));
}

inline Vec operator+(Vec a, Vec b) {
  return _mm512_add_ps(a.v, b.v);
}
inline Vec operator-(Vec a, Vec b) {
  return _mm512_sub_ps(a.v, b.v);
}
inline Vec operator*(Vec a, Vec b) {
  return _mm512_mul_ps(a.v, b.v);
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return _mm512_fmadd_ps(a.v, b.v, c.v);
}

// Quotients and roots by an estimate of 14 bits and a Newton step, to about the last bit: the
// divider takes several times as long. Of divisors that are neither 0 nor infinite, and of finite
// numbers.
inline Vec operator/(Vec a, Vec b) {
  const Vec y = _mm512_rcp14_ps(b.v), q = a * y;
  return fma(_mm512_fnmadd_ps(q.v, b.v, a.v), y, q);
}
inline Vec sqrt(Vec a) {
  const __mmask16 positive = _mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_GT_OQ);
  const Vec y = _mm512_maskz_rsqrt14_ps(positive, a.v), root = a * y;
  return fma(root * Vec(0.5f), _mm512_fnmadd_ps(root.v, y.v, Vec(1.0f).v), root);
}
inline Vec abs(Vec a) {
  return _mm512_abs_ps(a.v);
}
inline float sum(Vec a) {
  return _mm512_reduce_add_ps(a.v);
}

// a 2^n, for integral n whose result is a normal number.
inline Vec times_power_of_two(Vec a, Vec n) {
  return _mm512_scalef_ps(a.v, n.v);
}

// 1/√a by the processor's table, 14 bits of it.
inline Vec inverse_sqrt_estimate(Vec a) {
  return _mm512_rsqrt14_ps(a.v);
}
// w - 2 half g / √a: all bits after one Newton step, whose y (3 - a y²) / 2 gives its factor ½ to
// the caller's constant.
inline Vec sub_twice_over_sqrt(Vec w, Vec half, Vec g, Vec a) {
  const Vec y = inverse_sqrt_estimate(a);
  const Vec e = _mm512_fnmadd_ps((a * y).v, y.v, Vec(3.0f).v);
  return _mm512_fnmadd_ps((half * g * y).v, e.v, w.v);
}

inline Vec copysign(Vec magnitude, Vec sign) {
  const __m512 bit = _mm512_set1_ps(-0.0f);
  return _mm512_or_ps(_mm512_and_ps(bit, sign.v), _mm512_andnot_ps(bit, magnitude.v));
}

inline Vec::Mask less_equal(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ);
}
inline Vec::Mask nonzero(Vec a) {
  return _mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
}
inline Vec select(Vec::Mask mask, Vec yes, Vec no) {
  return _mm512_mask_blend_ps(mask, no.v, yes.v);
}

// Blocks of K numbers that lie at[0], at[1] … numbers behind p, as one vector, and back.
template <int K>
[[gnu::always_inline]] inline Vec load_apart(const float* p, const std::int64_t* at) {
  static_assert(K == 4 || K == 8);
  const auto pair = [&](int i) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + at[i])),
                                _mm_loadu_ps(p + at[i + 1]), 1);
  };
  __m256 low, high;
  if constexpr (K == 4)
    low = pair(0), high = pair(2);
  else
    low = _mm256_loadu_ps(p + at[0]), high = _mm256_loadu_ps(p + at[1]);
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}
template <int K>
[[gnu::always_inline]] inline Vec load_apart(const Half* p, const std::int64_t* at) {
  static_assert(K == 4 || K == 8);
  const auto block = [&](int i) { return reinterpret_cast<const __m128i*>(p + at[i]); };
  const auto pair = [&](int i) {
    return _mm_unpacklo_epi64(_mm_loadl_epi64(block(i)), _mm_loadl_epi64(block(i + 1)));
  };
  __m128i low, high;
  if constexpr (K == 4)
    low = pair(0), high = pair(2);
  else
    low = _mm_loadu_si128(block(0)), high = _mm_loadu_si128(block(1));
  return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1));
}
template <int K>
[[gnu::always_inline]] inline void store_apart(Vec v, float* p, const std::int64_t* at, auto) {
  if constexpr (K == 4) {
    _mm_storeu_ps(p + at[0], _mm512_castps512_ps128(v.v));
    _mm_storeu_ps(p + at[1], _mm512_extractf32x4_ps(v.v, 1));
    _mm_storeu_ps(p + at[2], _mm512_extractf32x4_ps(v.v, 2));
    _mm_storeu_ps(p + at[3], _mm512_extractf32x4_ps(v.v, 3));
  } else {
    _mm256_storeu_ps(p + at[0], _mm512_castps512_ps256(v.v));
    _mm256_storeu_ps(p + at[1], _mm512_extractf32x8_ps(v.v, 1));
  }
}
template <int K>
[[gnu::always_inline]] inline void store_apart(Vec v, Half* p, const std::int64_t* at,
                                               Vec::Bits up) {
  const auto block = [&](int i) { return reinterpret_cast<__m128i*>(p + at[i]); };
  const __m256i x = v.half(up);
  const __m128i low = _mm256_castsi256_si128(x), high = _mm256_extracti128_si256(x, 1);
  if constexpr (K == 4) {
    _mm_storel_epi64(block(0), low);
    _mm_storel_epi64(block(1), _mm_unpackhi_epi64(low, low));
    _mm_storel_epi64(block(2), high);
    _mm_storel_epi64(block(3), _mm_unpackhi_epi64(high, high));
  } else {
    _mm_storeu_si128(block(0), low);
    _mm_storeu_si128(block(1), high);
  }
}

// Transposes a tile of lanes / K vectors whose elements are groups of K floats.
template <int K>
inline void transpose_groups(Vec (&t)[Vec::lanes / K]) {
  static_assert(K == 4 || K == 8 || K == 16);
  if constexpr (K == 8) {
    const __m512 a = t[0].v, b = t[1].v;
    t[0] = _mm512_shuffle_f32x4(a, b, 0x44);
    t[1] = _mm512_shuffle_f32x4(a, b, 0xee);
  } else if constexpr (K == 4) {
    const __m512 ab_low = _mm512_shuffle_f32x4(t[0].v, t[1].v, 0x44);   // a0 a1 b0 b1
    const __m512 ab_high = _mm512_shuffle_f32x4(t[0].v, t[1].v, 0xee);  // a2 a3 b2 b3
    const __m512 cd_low = _mm512_shuffle_f32x4(t[2].v, t[3].v, 0x44);
    const __m512 cd_high = _mm512_shuffle_f32x4(t[2].v, t[3].v, 0xee);
    t[0] = _mm512_shuffle_f32x4(ab_low, cd_low, 0x88);
    t[1] = _mm512_shuffle_f32x4(ab_low, cd_low, 0xdd);
    t[2] = _mm512_shuffle_f32x4(ab_high, cd_high, 0x88);
    t[3] = _mm512_shuffle_f32x4(ab_high, cd_high, 0xdd);
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
