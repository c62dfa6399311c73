// Storage of 16 bits. Arithmetic is always float32.
//
// Everything is forced inline: SIMD units include this header (see base/random.h).
#pragma once
#include <bit>
#include <cstdint>

namespace pyfm {

struct Half {  // IEEE 754 binary16: 11 bits of precision, up to 65504
  std::uint16_t bits;
};

[[gnu::always_inline]] inline float to_float(float x) noexcept {
  return x;
}

inline constexpr int kLargestHalf = 0x7bff, kHalfNan = 0x7e00, kFloatExponent = 0x7f800000;

// The exponent is moved by a multiplication, which is exact for normal and subnormal numbers alike;
// that of infinity and NaN becomes float32's largest.
[[gnu::always_inline]] inline float to_float(Half x) noexcept {
  const int sign = (x.bits & 0x8000) << 16, magnitude = x.bits & 0x7fff;
  const float moved = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const int no_number = magnitude > kLargestHalf ? kFloatExponent : 0;
  return std::bit_cast<float>(sign | no_number | std::bit_cast<int>(moved));
}

// Rounding adds the first bits of `up`, as many as are cut off, to those bits. Half of one ulp
// rounds to the nearest (ties away from zero); uniform random bits round up or down such that the
// mean is exact.
inline constexpr int kCutBits = 13;
inline constexpr std::uint32_t kHalfUlp = 0x80000000u;

// Step of the Weyl sequence whose squares are the random bits: odd, near 2^32 / φ.
inline constexpr std::uint32_t kWeyl = 0x9e3779b9u;

[[gnu::always_inline]] inline void round_to(float& to, float x, std::uint32_t) noexcept {
  to = x;
}

// What is too large becomes the largest number, what is below the smallest normal number is cut
// to a multiple of 2^-24. NaN stays NaN, so that a training that diverged is found out.
[[gnu::always_inline]] inline void round_to(Half& to, float x, std::uint32_t up) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const float moved =
      std::bit_cast<float>((bits & 0x7fffffffu) + (up >> (32 - kCutBits))) * 0x1p-112f;
  const int cut = std::bit_cast<int>(moved) >> 13;
  const int magnitude = moved != moved ? kHalfNan : cut < kLargestHalf ? cut : kLargestHalf;
  to.bits = static_cast<std::uint16_t>((bits >> 16 & 0x8000u) | static_cast<unsigned>(magnitude));
}

}  // namespace pyfm
