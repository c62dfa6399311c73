// The bits that round a vector on its way into storage of 16 bits (see base/half.h): none for
// float32; those of the nearest number; or random ones, so that many small updates add up to what
// they are although each is below the storage's precision (stochastic rounding).
//
// For every row of a thread a xorshift (Marsaglia 2003) draws a start, from which the row takes the
// squares of a Weyl sequence (after Widynski 2017), whose upper bits are independent of one
// another: an addition and a product a vector. Include it after the Vec of the level.
#pragma once
#include <cstdint>
#include <type_traits>

#include "base/random.h"
#include "base/types.h"
#include "simd/rough.h"

namespace pyfm::PYFM_ISA {
namespace {

struct NoBits {};
struct Exact {
  explicit Exact(std::uint32_t*) {}
  NoBits next() { return {}; }
};

template <class S>
using Rounding = std::conditional_t<std::is_same_v<S, float>, Exact, Noise>;

// What an optimizer steps.
template <class S>
using StepVec = std::conditional_t<std::is_same_v<S, float>, Vec, RoughVec>;

// Starts anew for every row of a table: the bits do not depend on which thread steps it, or when.
template <class S>
inline Rounding<S> rounding_of_row(const std::uint32_t* seeds, RowId row) {
  std::uint32_t own[16] = {};
  if constexpr (!std::is_same_v<S, float>) {
    const std::uint32_t bits = mix32(row);
    for (int i = 0; i < 16; ++i) own[i] = seeds[i] ^ bits;
  }
  return Rounding<S>(own);
}

template <class S>
inline auto nearest() {
  if constexpr (std::is_same_v<S, float>)
    return NoBits{};
  else
    return same_bits(kHalfUlp);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
