// 16 lanes of AVX-512 (F, BW, DQ, VL).
#pragma once
#include <immintrin.h>

namespace pyfm::PYFM_ISA {
namespace {

struct Vec {
  using Mask = __mmask16;
  static constexpr int lanes = 16;
  __m512 v;

  Vec() = default;
  Vec(__m512 x) : v(x) {}
  explicit Vec(float x) : v(_mm512_set1_ps(x)) {}

  static Vec load(const float* p) { return _mm512_loadu_ps(p); }
  static Vec load_partial(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_partial(float* p, int n) const { _mm512_mask_storeu_ps(p, first(n), v); }

 private:
  static Mask first(int n) { return static_cast<Mask>((1u << n) - 1); }
};

inline Vec operator+(Vec a, Vec b) {
  return _mm512_add_ps(a.v, b.v);
}
inline Vec operator-(Vec a, Vec b) {
  return _mm512_sub_ps(a.v, b.v);
}
inline Vec operator*(Vec a, Vec b) {
  return _mm512_mul_ps(a.v, b.v);
}
inline Vec operator/(Vec a, Vec b) {
  return _mm512_div_ps(a.v, b.v);
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return _mm512_fmadd_ps(a.v, b.v, c.v);
}
inline Vec sqrt(Vec a) {
  return _mm512_sqrt_ps(a.v);
}
inline Vec abs(Vec a) {
  return _mm512_abs_ps(a.v);
}
inline float sum(Vec a) {
  return _mm512_reduce_add_ps(a.v);
}

// w - 2 half / √a: 14 bits from the table, all of them after one Newton step, whose
// y (3 - a y²) / 2 gives its factor ½ to the caller's constant.
inline Vec sub_twice_over_sqrt(Vec w, Vec half, Vec a) {
  const Vec y = _mm512_rsqrt14_ps(a.v);
  const Vec e = _mm512_fnmadd_ps((a * y).v, y.v, Vec(3.0f).v);
  return _mm512_fnmadd_ps((half * y).v, e.v, w.v);
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
