// The 16-bit formats and how vectors of the baseline levels load and store them. The levels that
// need flags of their own are compared through the kernels (tests/test_contract_storage.py).
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/half.h"
#include "base/random.h"

#define PYFM_ISA test_half_portable
#include "simd/vec_portable.h"
#undef PYFM_ISA
#ifdef __SSE2__
#define PYFM_ISA test_half_sse2
#include "simd/vec_sse2.h"
#undef PYFM_ISA
#endif

namespace pyfm {
namespace {

struct Portable {
  using Vec = test_half_portable::Vec;
  using Noise = test_half_portable::Noise;
  static Vec::Bits same(std::uint32_t x) { return test_half_portable::same_bits(x); }
};
#ifdef __SSE2__
struct Sse2 {
  using Vec = test_half_sse2::Vec;
  using Noise = test_half_sse2::Noise;
  static Vec::Bits same(std::uint32_t x) { return test_half_sse2::same_bits(x); }
};
#endif

// What a format holds, straight from its definition.
template <class Format>
struct Definition;
template <>
struct Definition<Half> {
  static constexpr int mantissa = 10, bias = 15;
  static constexpr double largest = 65504;
};

template <class Format>
bool is_finite(std::uint16_t bits) {
  const int infinity = 0x7fff >> Definition<Format>::mantissa << Definition<Format>::mantissa;
  return (bits & 0x7fff) < infinity;
}

template <class Format>
double value(std::uint16_t bits) {
  constexpr int m = Definition<Format>::mantissa, bias = Definition<Format>::bias;
  const int exponent = (bits & 0x7fff) >> m, fraction = bits & ((1 << m) - 1);
  const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - bias - m)
                                         : std::ldexp(fraction + (1 << m), exponent - bias - m);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// The distance of neighbours around a normal number.
template <class Format>
double ulp(double x) {
  return std::ldexp(1.0, std::ilogb(x) - Definition<Format>::mantissa);
}

template <class Format>
std::uint16_t rounded(float x, std::uint32_t up) {
  Format to;
  round_to(to, x, up);
  return to.bits;
}

std::uint32_t random_bits(std::uint32_t& counter) {
  return static_cast<std::uint32_t>(random_key(11, ++counter));
}

// Floats of every size that Half rounds: random bits, but for NaN and infinity.
std::vector<float> random_floats(int n) {
  std::vector<float> x;
  std::uint32_t at = 0;
  while (static_cast<int>(x.size()) < n) {
    const auto anything = std::bit_cast<float>(random_bits(at));
    if (std::isfinite(anything)) x.push_back(anything);
    // Most of these are normal numbers of Half.
    const float sign = random_bits(at) % 2 ? -1.0f : 1.0f;
    x.push_back(sign *
                std::ldexp(1 + random_uniform(7, at), static_cast<int>(random_bits(at) % 44) - 27));
  }
  for (const float edge : {0.0f, 65503.9f, 65504.0f, 65519.9f, 65520.0f, 65536.0f, 3e38f, 0x1p-14f,
                           0x1.ffcp-15f, 0x1.ffep-15f, 0x1p-24f, 0x1.8p-24f, 0x1p-25f, 1e-40f})
    x.push_back(edge), x.push_back(-edge);
  return x;
}

template <class Format>
void check_exact() {
  for (int i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    if (!is_finite<Format>(bits)) continue;
    const float x = to_float(Format{bits});
    BOOST_REQUIRE(static_cast<double>(x) == value<Format>(bits));
    BOOST_REQUIRE(std::signbit(x) == (bits >> 15 != 0));
    for (const std::uint32_t up : {0u, kHalfUlp, 0xffffu, 0xffffffffu})
      BOOST_REQUIRE(rounded<Format>(x, up) == bits);
  }
}

// Within half a unit of the last place, ties away from zero. Half is cut off at both ends.
template <class Format>
void check_nearest(double smallest) {
  for (const float x : random_floats(200'000)) {
    const double exact = std::abs(static_cast<double>(x));
    const double found = std::abs(value<Format>(rounded<Format>(x, kHalfUlp)));
    if (exact >= Definition<Format>::largest) {
      BOOST_REQUIRE((found == Definition<Format>::largest || !(found <= 1e38)));
    } else if (exact >= smallest) {
      const double unit = ulp<Format>(exact);
      BOOST_REQUIRE(found == std::min(std::floor(exact / unit + 0.5) * unit,
                                      std::max(Definition<Format>::largest, found)));
    }
  }
}

// Every draw is one of the two neighbours, and their mean is the number itself: the standard error
// of n draws is ulp √(p (1 - p) / n).
template <class Format, class Level>
void check_unbiased() {
  using Vec = Level::Vec;
  constexpr int n = 1 << 14;
  std::uint32_t seeds[16], at = 0;
  for (std::uint32_t& seed : seeds) seed = random_bits(at) | 1;
  typename Level::Noise noise(seeds);
  for (const double p : {0.0, 0.001, 0.25, 0.5, 0.8, 0.999})
    for (const double low : {1.0, -1.5, 0x1p-14, 0x1.8p-10, 1000.0}) {
      const double unit = ulp<Format>(low);
      const auto x = static_cast<float>(low + std::copysign(p * unit, low));
      double ups = 0;
      for (int i = 0; i < n; i += Vec::lanes) {
        Format out[Vec::lanes];
        Vec(x).store(out, noise.next());
        for (const Format y : out) {
          const double steps = std::abs(static_cast<double>(to_float(y)) - low) / unit;
          BOOST_REQUIRE((steps == 0 || steps == 1));
          ups += steps;
        }
      }
      const double exact = std::abs(static_cast<double>(x) - low) / unit;  // p, as x holds it
      const double error = std::sqrt(exact * (1 - exact) / n);
      BOOST_TEST(std::abs(ups / n - exact) <= 5 * error);
    }
}

// Lane by lane the same as the plain functions, whatever is stored with whatever random bits.
template <class Format, class Level>
void check_vector() {
  using Vec = Level::Vec;
  for (int i = 0; i < 0x10000; i += Vec::lanes) {
    Format in[Vec::lanes];
    float out[Vec::lanes];
    for (int lane = 0; lane < Vec::lanes; ++lane)
      in[lane].bits = static_cast<std::uint16_t>(i + lane);
    for (const bool partial : {false, true}) {
      (partial ? Vec::load_partial(in, Vec::lanes) : Vec::load(in)).store(out);
      for (int lane = 0; lane < Vec::lanes; ++lane)
        if (is_finite<Format>(in[lane].bits))
          BOOST_REQUIRE(std::bit_cast<std::uint32_t>(out[lane]) ==
                        std::bit_cast<std::uint32_t>(to_float(in[lane])));
    }
  }
  const std::vector<float> floats = random_floats(100'000);
  std::uint32_t at = 0;
  for (std::size_t i = 0; i + Vec::lanes <= floats.size(); i += Vec::lanes) {
    std::uint32_t up = random_bits(at);
    if (i % 3 == 0) up = kHalfUlp;
    Format out[Vec::lanes], again[Vec::lanes];
    Vec::load(&floats[i]).store(out, Level::same(up));
    Vec::load(&floats[i]).store_partial(again, Vec::lanes, Level::same(up));
    for (int lane = 0; lane < Vec::lanes; ++lane) {
      const std::uint16_t expected =
          rounded<Format>(floats[i + static_cast<std::size_t>(lane)], up);
      BOOST_REQUIRE(out[lane].bits == expected);
      BOOST_REQUIRE(again[lane].bits == expected);
    }
  }
}

template <class Level>
void check_level() {
  check_vector<Half, Level>();
  check_unbiased<Half, Level>();
}

BOOST_AUTO_TEST_SUITE(half)

BOOST_AUTO_TEST_CASE(what_a_format_holds_comes_back_whatever_the_random_bits) {
  check_exact<Half>();
}

BOOST_AUTO_TEST_CASE(half_an_ulp_rounds_to_the_nearest) {
  check_nearest<Half>(0x1p-14);
}

BOOST_AUTO_TEST_CASE(nan_stays_nan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::uint32_t up : {0u, kHalfUlp, 0xffffffffu}) {
    Half plain, vector[Portable::Vec::lanes];
    round_to(plain, nan, up);
    BOOST_TEST(std::isnan(to_float(plain)));
    Portable::Vec(nan).store(vector, Portable::same(up));
    BOOST_TEST(std::isnan(to_float(vector[0])));
#ifdef __SSE2__
    float out[Sse2::Vec::lanes];
    Sse2::Vec(nan).store(vector, Sse2::same(up));
    Sse2::Vec::load(vector).store(out);
    for (const float x : out) BOOST_TEST(std::isnan(x));
#endif
  }
}

BOOST_AUTO_TEST_CASE(half_saturates) {
  for (const float x : {65504.0f, 65519.0f, 65520.0f, 1e6f, 3.4e38f})
    for (const std::uint32_t up : {0u, kHalfUlp, 0xffffu}) {
      BOOST_TEST(value<Half>(rounded<Half>(x, up)) == 65504);
      BOOST_TEST(value<Half>(rounded<Half>(-x, up)) == -65504);
    }
}

// Below 2^-14 the random bits are worth less than the distance of neighbours: numbers are cut.
BOOST_AUTO_TEST_CASE(subnormal_halves_are_multiples_of_the_smallest_not_above) {
  for (const float x : random_floats(100'000)) {
    const double exact = std::abs(static_cast<double>(x));
    if (exact >= 0x1p-14) continue;
    for (const std::uint32_t up : {0u, kHalfUlp, 0xffffu}) {
      const double found = std::abs(value<Half>(rounded<Half>(x, up)));
      BOOST_REQUIRE(exact - found < 0x1p-24);
      BOOST_REQUIRE(found <= exact * (1 + 0x1p-10));
    }
  }
}

BOOST_AUTO_TEST_CASE(zero_stays_zero) {
  for (const std::uint32_t up : {0u, 0x1fffu, 0xffffu, 0xffffffffu}) {
    BOOST_TEST(rounded<Half>(0.0f, up) == 0);
    BOOST_TEST(rounded<Half>(-0.0f, up) == 0x8000);
  }
}

BOOST_AUTO_TEST_CASE(portable) {
  check_level<Portable>();
}

#ifdef __SSE2__
BOOST_AUTO_TEST_CASE(sse2) {
  check_level<Sse2>();
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
