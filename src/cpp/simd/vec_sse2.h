// 4 lanes of SSE2: the baseline of every x86-64 processor.
#pragma once
#include <emmintrin.h>

#include "base/half.h"

namespace pyfm::PYFM_ISA {
namespace {

// Random bits for rounding, see model/rounding.h.
struct Noise {
  __m128i bits;

  explicit Noise(std::uint32_t* seeds) {
    __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(seeds));
    x = _mm_xor_si128(x, _mm_slli_epi32(x, 13));
    x = _mm_xor_si128(x, _mm_srli_epi32(x, 17));
    bits = x = _mm_xor_si128(x, _mm_slli_epi32(x, 5));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(seeds), x);
  }
  __m128i next() {
    bits = _mm_add_epi32(bits, _mm_set1_epi32(static_cast<int>(kWeyl)));
    const __m128i odd = _mm_srli_epi64(bits, 32);  // SSE2 multiplies every second lane
    const __m128i a = _mm_mul_epu32(bits, bits), b = _mm_mul_epu32(odd, odd);
    return _mm_unpacklo_epi32(_mm_shuffle_epi32(a, 0x08), _mm_shuffle_epi32(b, 0x08));
  }
};

struct Vec {
  using Mask = __m128;
  using Bits = __m128i;
  static constexpr int lanes = 4;
  __m128 v;

  Vec() = default;
  Vec(__m128 x) : v(x) {}
  explicit Vec(float x) : v(_mm_set1_ps(x)) {}

  static Vec load(const float* p) { return _mm_loadu_ps(p); }
  void store(float* p) const { _mm_storeu_ps(p, v); }
  // Blocks are padded to 4 floats, so a part of a vector never comes up.
  static Vec load_partial(const float* p, int) { return load(p); }
  void store_partial(float* p, int) const { store(p); }

  // As round_to and to_float of base/half.h, lane by lane.
  static Vec load(const Half* p) {
    const __m128i x = widen(p), magnitude = _mm_and_si128(x, _mm_set1_epi32(0x7fff));
    const __m128i sign = _mm_slli_epi32(_mm_srli_epi32(x, 15), 31);
    const __m128 moved =
        _mm_mul_ps(_mm_castsi128_ps(_mm_slli_epi32(magnitude, 13)), _mm_set1_ps(0x1p112f));
    const __m128i no_number = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(kLargestHalf));
    const __m128i exponent = _mm_and_si128(no_number, _mm_set1_epi32(kFloatExponent));
    return _mm_or_ps(moved, _mm_castsi128_ps(_mm_or_si128(sign, exponent)));
  }
  static Vec load_partial(const Half* p, int) { return load(p); }
  void store(Half* p, Bits up) const {
    const __m128i bits = _mm_castps_si128(v);
    const __m128i magnitude = _mm_add_epi32(_mm_and_si128(bits, _mm_set1_epi32(0x7fffffff)),
                                            _mm_srli_epi32(up, 32 - kCutBits));
    // In this order the minimum of NaN and something is NaN.
    const __m128 moved = _mm_min_ps(
        _mm_set1_ps(kLargest), _mm_mul_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0x1p-112f)));
    const __m128i sign = _mm_slli_epi32(_mm_srli_epi32(bits, 31), 15);
    narrow(_mm_or_si128(_mm_srli_epi32(_mm_castps_si128(moved), 13), sign), p);
  }
  void store_partial(Half* p, int, Bits up) const { store(p, up); }

 private:
  static constexpr float kLargest = 65504 * 0x1p-112f;  // of Half, its exponent moved
  static __m128i widen(const void* p) {
    const __m128i x = _mm_loadl_epi64(static_cast<const __m128i*>(p));
    return _mm_unpacklo_epi16(x, _mm_setzero_si128());
  }
  // SSE2 packs signed numbers only: sign-extend first.
  static void narrow(__m128i x, void* p) {
    x = _mm_srai_epi32(_mm_slli_epi32(x, 16), 16);
    _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packs_epi32(x, x));
  }
};

inline Vec::Bits same_bits(std::uint32_t x) {
  return _mm_set1_epi32(static_cast<int>(x));
}

inline Vec operator+(Vec a, Vec b) {
  return _mm_add_ps(a.v, b.v);
}
inline Vec operator-(Vec a, Vec b) {
  return _mm_sub_ps(a.v, b.v);
}
inline Vec operator*(Vec a, Vec b) {
  return _mm_mul_ps(a.v, b.v);
}
inline Vec operator/(Vec a, Vec b) {
  return _mm_div_ps(a.v, b.v);
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return a * b + c;
}
inline Vec sqrt(Vec a) {
  return _mm_sqrt_ps(a.v);
}
inline Vec abs(Vec a) {
  return _mm_andnot_ps(_mm_set1_ps(-0.0f), a.v);
}
inline float sum(Vec a) {
  const __m128 s = _mm_add_ps(a.v, _mm_movehl_ps(a.v, a.v));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

// a 2^n, for integral n whose result is a normal number.
inline Vec times_power_of_two(Vec a, Vec n) {
  const __m128i exponent = _mm_slli_epi32(_mm_cvtps_epi32(n.v), 23);
  return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a.v), exponent));
}

// 1/√a by the processor's table, 12 bits of it.
inline Vec inverse_sqrt_estimate(Vec a) {
  return _mm_rsqrt_ps(a.v);
}
// w - 2 half g / √a: about 23 bits after one Newton step, whose y (3 - a y²) / 2 gives its factor ½
// to the caller's constant.
inline Vec sub_twice_over_sqrt(Vec w, Vec half, Vec g, Vec a) {
  const Vec y = inverse_sqrt_estimate(a);
  return w - half * g * y * (Vec(3.0f) - a * y * y);
}

inline Vec select(Vec::Mask mask, Vec yes, Vec no) {
  return _mm_or_ps(_mm_and_ps(mask, yes.v), _mm_andnot_ps(mask, no.v));
}
inline Vec copysign(Vec magnitude, Vec sign) {
  return select(_mm_set1_ps(-0.0f), sign, magnitude);
}
inline Vec::Mask less_equal(Vec a, Vec b) {
  return _mm_cmple_ps(a.v, b.v);
}
inline Vec::Mask nonzero(Vec a) {
  return _mm_cmpneq_ps(a.v, _mm_setzero_ps());
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
