// Numbers out of text. Every scanner may read kScanAhead bytes past the end of the text, which
// must be readable; what follows an unfinished last line must not be a digit.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/types.h"

namespace pyfm {

inline constexpr Index kScanAhead = 16;

inline bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

// Blanks, line ends and the zero after the text: whatever lies at or below a space.
inline bool ends_token(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ' || c == '#';
}

inline bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') < 10;
}

namespace detail {

inline constexpr std::uint64_t every_byte(std::uint64_t x) {
  return x * 0x0101010101010101u;
}

// Eight digits, the first in the lowest byte: pairs, then fours, then all eight.
inline std::uint64_t eight_digits(std::uint64_t digits) noexcept {
  digits = digits * 10 + (digits >> 8);
  constexpr std::uint64_t mask = 0x000000FF000000FFu;
  constexpr std::uint64_t high = 100 + (1000000ull << 32), low = 1 + (10000ull << 32);
  return ((digits & mask) * high + ((digits >> 16) & mask) * low) >> 32 & 0xFFFFFFFFu;
}

}  // namespace detail

// Reads digits at p into `value` and returns where they end (p itself if there are none).
// Numbers of more than 18 digits give a value of at least 10^18.
inline const char* scan_digits(const char* p, std::uint64_t& value) noexcept {
  value = 0;
  int n = 0;
  if constexpr (std::endian::native == std::endian::little) {
    // The first digits without a branch on how many there are: ids vary in length at random.
    std::uint64_t chunk;
    std::memcpy(&chunk, p, sizeof chunk);
    chunk ^= detail::every_byte('0');
    // The high bit of a byte is set where it is not in 0…9. A carry only spoils later bytes.
    const std::uint64_t other =
        ((chunk + detail::every_byte(0x76)) | chunk) & detail::every_byte(0x80);
    if (other != 0) {
      n = std::countr_zero(other) / 8;
      if (n > 0) value = detail::eight_digits(chunk << (64 - 8 * n));
      return p + n;
    }
    value = detail::eight_digits(chunk);
    n = 8;
  }
  for (; is_digit(p[n]); ++n)
    if (n < 18)
      value = value * 10 + static_cast<std::uint64_t>(p[n] - '0');
    else
      value = std::uint64_t{1} << 63;
  return p + n;
}

// Reads a number as std::strtof would in the C locale, NaN and infinities included, and returns
// where it ends, or null where there is none or it is too large for float32.
const char* scan_number(const char* p, const char* end, float& value) noexcept;

}  // namespace pyfm
