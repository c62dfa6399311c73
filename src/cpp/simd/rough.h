// Vectors that end up in storage of 16 bits, where neighbours are 5·10⁻⁴ to 10⁻³ of a number apart.
// A step may be off by what the processor's estimates are, less than 4·10⁻⁴ of its own length; sums
// of gradients are as exact as ever. Include it after the Vec of the level.
#pragma once

namespace pyfm::PYFM_ISA {
namespace {

struct RoughVec : Vec {
  RoughVec() = default;
  RoughVec(Vec x) : Vec(x) {}
  explicit RoughVec(float x) : Vec(x) {}
};

// w - 2 half g / √a.
inline RoughVec sub_twice_over_sqrt(RoughVec w, RoughVec half, RoughVec g, RoughVec a) {
  return fma(Vec(-2.0f) * half, g * inverse_sqrt_estimate(a), w);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
