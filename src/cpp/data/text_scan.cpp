#include "data/text_scan.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace pyfm {

namespace {

constexpr float kPowersOfTen[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f};

// Out of the range of float32: too large, or so small that it rounds to 0?
const char* scan_extreme(const char* p, const char* end, float& value) noexcept {
  double wide = 0;
  const auto [stop, error] = std::from_chars(p, end, wide);
  if (error == std::errc::result_out_of_range) {
    const char* exponent = std::find_if(p, stop, [](char c) { return c == 'e' || c == 'E'; });
    const bool tiny = exponent + 1 < stop && exponent[1] == '-';
    wide = tiny ? 0 : std::numeric_limits<double>::infinity();
  }
  if (std::fabs(wide) > std::numeric_limits<float>::max()) return nullptr;
  value = static_cast<float>(wide);
  return stop;
}

}  // namespace

const char* scan_number(const char* p, const char* end, float& value) noexcept {
  // Short decimals exactly (Clinger 1990): the digits as an integer below 2^24 and a power of ten
  // up to 10^8 are both exact in float32, so that one division rounds correctly.
  std::uint64_t whole, fraction;
  const char* point;
  if (is_digit(p[0]) && p[1] == '.') {  // the usual case: no need to wait for the digits' number
    whole = static_cast<std::uint64_t>(p[0] - '0');
    point = p + 1;
  } else {
    point = scan_digits(p, whole);
  }
  if (point != p && whole < (1u << 24)) {
    if (point >= end || ends_token(*point)) {
      value = static_cast<float>(whole);
      return point;
    }
    if (*point == '.') {
      const char* stop = scan_digits(point + 1, fraction);
      const Index n = stop - point - 1;
      if (n <= 7 && (stop >= end || ends_token(*stop))) {
        static constexpr std::uint32_t scale[] = {1,     10,     100,     1000,
                                                  10000, 100000, 1000000, 10000000};
        const std::uint64_t digits = whole * scale[n] + fraction;
        if (digits < (1u << 24)) {
          value = static_cast<float>(digits) / kPowersOfTen[n];
          return stop;
        }
      }
    }
  }
  if (p < end && *p == '+' && p + 1 < end && p[1] != '-') ++p;  // from_chars takes no plus
  const auto [stop, error] = std::from_chars(p, end, value);
  if (error == std::errc::result_out_of_range) return scan_extreme(p, end, value);
  return error == std::errc{} ? stop : nullptr;
}

}  // namespace pyfm
