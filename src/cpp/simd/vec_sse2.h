// 4 lanes of SSE2: the baseline of every x86-64 processor.
#pragma once
#include <emmintrin.h>

namespace pyfm::PYFM_ISA {
namespace {

struct Vec {
  using Mask = __m128;
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
};

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

// w - 2 half / √a: 12 bits from the table, about 23 after one Newton step, whose
// y (3 - a y²) / 2 gives its factor ½ to the caller's constant.
inline Vec sub_twice_over_sqrt(Vec w, Vec half, Vec a) {
  const Vec y = _mm_rsqrt_ps(a.v);
  return w - half * y * (Vec(3.0f) - a * y * y);
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
