// Vector operations of the baseline levels against plain floats, and the choice of a level. The
// levels that need flags of their own are compared through the kernels (test_train.cpp).
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>
#include <string>

#include "simd/level.h"

#define PYFM_ISA test_portable
#include "simd/vec_portable.h"
#undef PYFM_ISA
#ifdef __SSE2__
#define PYFM_ISA test_sse2
#include "simd/vec_sse2.h"
#undef PYFM_ISA
#endif

namespace pyfm {
namespace {

constexpr float kA[] = {1.5f, -2.0f, 0.0f, -0.0f, 3e-20f, 7e15f, -1.0f, 0.25f};
constexpr float kB[] = {-0.5f, 4.0f, 1.0f, -3.0f, 2e-20f, -1e15f, -1.0f, 8.0f};

// What `f` returns, lane by lane, must be what `expected` says of the same lanes.
template <class Vec, class F, class G>
void check_lanes(F&& f, G&& expected) {
  for (int at = 0; at < 8; at += Vec::lanes) {
    float out[Vec::lanes];
    f(Vec::load(kA + at), Vec::load(kB + at)).store(out);
    for (int i = 0; i < Vec::lanes; ++i) BOOST_TEST(out[i] == expected(kA[at + i], kB[at + i]));
  }
}

template <class Vec>
void check_arithmetic() {
  check_lanes<Vec>([](Vec a, Vec b) { return a + b; }, [](float a, float b) { return a + b; });
  check_lanes<Vec>([](Vec a, Vec b) { return a - b; }, [](float a, float b) { return a - b; });
  check_lanes<Vec>([](Vec a, Vec b) { return a * b; }, [](float a, float b) { return a * b; });
  check_lanes<Vec>([](Vec a, Vec b) { return a / b; }, [](float a, float b) { return a / b; });
  check_lanes<Vec>([](Vec a, Vec) { return abs(a); }, [](float a, float) { return std::abs(a); });
  check_lanes<Vec>([](Vec a, Vec) { return sqrt(abs(a)); },
                   [](float a, float) { return std::sqrt(std::abs(a)); });
  check_lanes<Vec>([](Vec a, Vec b) { return copysign(a, b); },
                   [](float a, float b) { return std::copysign(a, b); });
  check_lanes<Vec>([](Vec a, Vec b) { return select(less_equal(a, b), a, b); },
                   [](float a, float b) { return a <= b ? a : b; });
  check_lanes<Vec>([](Vec a, Vec b) { return select(nonzero(a), a, b); },
                   [](float a, float b) { return a != 0 ? a : b; });
}

template <class Vec>
void check_sum() {
  float x[Vec::lanes], expected = 0;
  for (int i = 0; i < Vec::lanes; ++i) x[i] = static_cast<float>(i + 1), expected += x[i];
  BOOST_TEST(sum(Vec::load(x)) == expected);
}

// An estimate of 12 bits (1.5 · 2^-12); two roundings after it and one Newton step: 2^-23 and a
// bit.
template <class Vec>
void check_over_sqrt() {
  for (float x = 1e-30f; x < 1e30f; x *= 1.37f) {
    const double root = std::sqrt(static_cast<double>(x));
    float out[Vec::lanes];
    inverse_sqrt_estimate(Vec(x)).store(out);
    BOOST_TEST(std::abs(static_cast<double>(out[0]) * root - 1) < 4e-4);
    sub_twice_over_sqrt(Vec(0.0f), Vec(-0.5f), Vec(1.0f), Vec(x)).store(out);
    BOOST_TEST(std::abs(static_cast<double>(out[0]) * root - 1) < 5e-7);
  }
}

BOOST_AUTO_TEST_SUITE(simd)

BOOST_AUTO_TEST_CASE(portable) {
  check_arithmetic<test_portable::Vec>();
  check_sum<test_portable::Vec>();
  check_over_sqrt<test_portable::Vec>();
}

#ifdef __SSE2__
BOOST_AUTO_TEST_CASE(sse2) {
  check_arithmetic<test_sse2::Vec>();
  check_sum<test_sse2::Vec>();
  check_over_sqrt<test_sse2::Vec>();
}
#endif

BOOST_AUTO_TEST_CASE(levels_can_be_forced_by_name) {
  const SimdLevel before = simd_level();
  const auto levels = simd_levels();
  BOOST_TEST((levels.front() == SimdLevel::portable));
  BOOST_TEST(std::is_sorted(levels.begin(), levels.end()));
  for (const SimdLevel level : levels) {
    set_simd_level(name(level));
    BOOST_TEST((simd_level() == level));
  }
  BOOST_CHECK_EXCEPTION(set_simd_level("mmx"), std::invalid_argument,
                        [](const std::invalid_argument& e) {
                          const std::string text = e.what();
                          return text.find("'portable'") < text.find("found 'mmx'") &&
                                 text.find("found 'mmx'") != std::string::npos;
                        });
  set_simd_level(name(before));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
