// Storage formats of 16 bits. Arithmetic is always float32.
//
// Everything is forced inline: SIMD units include this header (see base/random.h).
#pragma once
#include <bit>
#include <cstdint>

namespace pyfm {

struct Half {  // IEEE 754 binary16: 11 bits of precision, up to 65504
  std::uint16_t bits;
};

struct Bfloat16 {  // the upper half of a float32: 8 bits of precision, float32's range
  std::uint16_t bits;
};

[[gnu::always_inline]] inline float to_float(float x) noexcept {
  return x;
}

[[gnu::always_inline]] inline float to_float(Bfloat16 x) noexcept {
  return std::bit_cast<float>(std::uint32_t{x.bits} << 16);
}

// The exponent is moved by a multiplication, which is exact for normal and subnormal numbers alike.
[[gnu::always_inline]] inline float to_float(Half x) noexcept {
  const std::uint32_t sign = (x.bits & 0x8000u) << 16;
  const float magnitude = std::bit_cast<float>((x.bits & 0x7fffu) << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

// Rounding adds the first bits of `up`, as many as are cut off, to those bits. Half of one ulp
// rounds to the nearest (ties away from zero); uniform random bits round up or down such that the
// mean is exact.
template <class Format>
inline constexpr int cut_bits = 0;
template <>
inline constexpr int cut_bits<Half> = 13;
template <>
inline constexpr int cut_bits<Bfloat16> = 16;

inline constexpr std::uint32_t kHalfUlp = 0x80000000u;

// Successive random bits differ by an odd number near 2^32 / φ, which spreads them evenly.
inline constexpr std::uint32_t kWeyl = 0x9e3779b9u;

[[gnu::always_inline]] inline void round_to(float& to, float x, std::uint32_t) noexcept {
  to = x;
}

[[gnu::always_inline]] inline void round_to(Bfloat16& to, float x, std::uint32_t up) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) + (up >> (32 - cut_bits<Bfloat16>));
  to.bits = static_cast<std::uint16_t>(bits >> 16);
}

// What is too large becomes the largest number, what is below the smallest normal number is cut
// to a multiple of 2^-24.
[[gnu::always_inline]] inline void round_to(Half& to, float x, std::uint32_t up) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const float moved =
      std::bit_cast<float>((bits & 0x7fffffffu) + (up >> (32 - cut_bits<Half>))) * 0x1p-112f;
  const std::uint32_t cut = std::bit_cast<std::uint32_t>(moved) >> 13;
  to.bits = static_cast<std::uint16_t>((bits >> 16 & 0x8000u) | (cut < 0x7bff ? cut : 0x7bff));
}

}  // namespace pyfm
