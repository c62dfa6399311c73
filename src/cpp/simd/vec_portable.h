// 4 lanes in the vector extension of GCC and Clang: any processor, NEON on ARM without a line more.
#pragma once
#include "base/half.h"

namespace pyfm::PYFM_ISA {
namespace {

// Random bits for rounding, see model/rounding.h.
struct Noise {
  typedef std::uint32_t Bits __attribute__((vector_size(16)));
  Bits bits;

  explicit Noise(std::uint32_t* seeds) {
    for (int i = 0; i < 4; ++i) {
      std::uint32_t x = seeds[i];
      x ^= x << 13;
      x ^= x >> 17;
      bits[i] = seeds[i] = x ^ x << 5;
    }
  }
  Bits next() {
    bits += kWeyl;
    return bits * bits;
  }
};

struct Vec {
  typedef float Lanes __attribute__((vector_size(16), aligned(4), may_alias));
  typedef int Mask __attribute__((vector_size(16)));
  using Bits = Noise::Bits;
  static constexpr int lanes = 4;
  Lanes v;

  Vec() = default;
  Vec(Lanes x) : v(x) {}
  explicit Vec(float x) : v{x, x, x, x} {}

  static Vec load(const float* p) { return *reinterpret_cast<const Lanes*>(p); }
  void store(float* p) const { *reinterpret_cast<Lanes*>(p) = v; }
  // Blocks are padded to 4 floats, so a part of a vector never comes up.
  static Vec load_partial(const float* p, int) { return load(p); }
  void store_partial(float* p, int) const { store(p); }

  static Vec load(const Half* p) {
    return Lanes{to_float(p[0]), to_float(p[1]), to_float(p[2]), to_float(p[3])};
  }
  static Vec load_partial(const Half* p, int) { return load(p); }
  void store(Half* p, Bits up) const {
    for (int i = 0; i < 4; ++i) round_to(p[i], v[i], up[i]);
  }
  void store_partial(Half* p, int, Bits up) const { store(p, up); }
};

inline Vec::Bits same_bits(std::uint32_t x) {
  return Vec::Bits{x, x, x, x};
}

inline Vec operator+(Vec a, Vec b) {
  return a.v + b.v;
}
inline Vec operator-(Vec a, Vec b) {
  return a.v - b.v;
}
inline Vec operator*(Vec a, Vec b) {
  return a.v * b.v;
}
inline Vec operator/(Vec a, Vec b) {
  return a.v / b.v;
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return a.v * b.v + c.v;
}
inline float sum(Vec a) {
  return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]);
}
inline Vec sqrt(Vec a) {
  for (int i = 0; i < 4; ++i) a.v[i] = __builtin_sqrtf(a.v[i]);
  return a;
}
// 1/√a; other levels have an estimate of it.
inline Vec inverse_sqrt_estimate(Vec a) {
  return Vec(1.0f) / sqrt(a);
}
// w - 2 half g / √a.
inline Vec sub_twice_over_sqrt(Vec w, Vec half, Vec g, Vec a) {
  const Vec half_g = half * g;
  return w - (half_g + half_g) / sqrt(a);
}
// a 2^n, for integral n whose result is a normal number.
inline Vec times_power_of_two(Vec a, Vec n) {
  for (int i = 0; i < 4; ++i) {
    // Not of NaN, which no integer stands for.
    const int exponent = n.v[i] == n.v[i] ? static_cast<int>(n.v[i]) : 0;
    a.v[i] *= std::bit_cast<float>((127 + exponent) << 23);
  }
  return a;
}
inline Vec abs(Vec a) {
  for (int i = 0; i < 4; ++i) a.v[i] = __builtin_fabsf(a.v[i]);
  return a;
}
inline Vec copysign(Vec magnitude, Vec sign) {
  for (int i = 0; i < 4; ++i) magnitude.v[i] = __builtin_copysignf(magnitude.v[i], sign.v[i]);
  return magnitude;
}
inline Vec::Mask less_equal(Vec a, Vec b) {
  return a.v <= b.v;
}
inline Vec::Mask nonzero(Vec a) {
  return a.v != Vec(0.0f).v;
}
inline Vec select(Vec::Mask mask, Vec yes, Vec no) {
  return mask ? yes.v : no.v;
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
