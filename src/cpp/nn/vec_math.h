// Functions of vectors, to a few ulp; NaN stays NaN. Include it after the Vec of the level.
#pragma once
namespace pyfm::PYFM_ISA {
namespace {

inline Vec maximum(Vec a, float b) {  // NaN where a is; and so is the minimum
  return select(less_equal(a, Vec(b)), Vec(b), a);
}
inline Vec minimum(Vec a, float b) {
  return select(less_equal(Vec(b), a), Vec(b), a);
}

// a[0] + a[1] x + a[2] x² + …
template <int n>
[[gnu::always_inline]] inline Vec polynomial(Vec x, const float (&a)[n]) {
  Vec sum(a[n - 1]);
  for (int i = n - 2; i >= 0; --i) sum = fma(sum, x, Vec(a[i]));
  return sum;
}

// e^x = (1 + m) 2^n, for x ≤ 0; what is below the exponents of float32 counts as their lowest.
struct Exponential {
  Vec m, n;
};
inline constexpr float kLowestExponent = -87.3f;

[[gnu::always_inline]] inline Exponential exponential(Vec x) {
  // log 2 in two parts, the first of so few bits that its products with n are exact.
  constexpr float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;
  constexpr float to_integer = 0x1.8p23f;  // adding and subtracting it rounds
  x = maximum(x, kLowestExponent);
  const Vec n = fma(x, Vec(1.44269504f), Vec(to_integer)) - Vec(to_integer);
  const Vec r = fma(n, Vec(-log2_low), fma(n, Vec(-log2_high), x));
  // (e^r - 1 - r) / r² on |r| ≤ ½ log 2: minimax, relative error of e^r - 1 below 2e-8.
  const Vec p = polynomial(r, {0.4999999701976776f, 0.1666654348373413f, 0.04166720062494278f,
                               0.008366580121219158f, 0.0013882507337257266f});
  return {fma(r * r, p, r), n};
}

[[gnu::always_inline]] inline Vec exp_of_negative(Vec x) {
  const Exponential e = exponential(x);
  const Vec y = times_power_of_two(Vec(1.0f) + e.m, e.n);
  return select(less_equal(x, Vec(kLowestExponent)), Vec(0.0f), y);
}

// e^x - 1
[[gnu::always_inline]] inline Vec expm1_of_negative(Vec x) {
  const Exponential e = exponential(x);
  const Vec power = times_power_of_two(Vec(1.0f), e.n);
  return fma(e.m, power, power - Vec(1.0f));
}

[[gnu::always_inline]] inline Vec sigmoid(Vec x) {
  const Vec e = exp_of_negative(Vec(0.0f) - abs(x));
  const Vec smaller = e / (Vec(1.0f) + e);
  return select(less_equal(x, Vec(0.0f)), smaller, Vec(1.0f) - smaller);
}

[[gnu::always_inline]] inline Vec tanh(Vec x) {
  const Vec a = abs(x), m = expm1_of_negative(Vec(0.0f) - (a + a));
  return copysign(m / (Vec(2.0f) + m), x);
}

// The standard normal distribution: Φ, and its density φ = Φ'. Φ(-a) = ½ R(a) e^(-a²/2), where
// R(a) = erfc(a/√2) e^(a²/2) is smooth: a polynomial in (a - 4) / (a + 4), minimax up to a = 14,
// relative error below 2e-8.
struct Normal {
  Vec cumulative, density;
};

[[gnu::always_inline]] inline Normal normal(Vec x) {
  const Vec a = minimum(abs(x), 15.0f);  // where e^(-a²/2) is 0 in float32
  const Vec square = a * a, rest = fma(a, a, Vec(0.0f) - square);
  const Vec half(0.5f);
  const Vec e = exp_of_negative(Vec(0.0f) - square * half);
  const Vec bell = fma(e * rest, Vec(-0.5f), e);  // what the rounding of a² took
  const Vec t = (a - Vec(4.0f)) / (a + Vec(4.0f));
  const Vec r = polynomial(
      t, {0.18882128596305847f, -0.34079548716545105f, 0.2487584352493286f, -0.14341357350349426f,
          0.0617305189371109f, -0.016995364800095558f, 0.0010073473677039146f,
          0.0013154279440641403f, -0.0003391966747585684f, -0.00013260506966616958f});
  const Vec tail = half * r * bell;
  return {select(less_equal(x, Vec(0.0f)), tail, Vec(1.0f) - tail), bell * Vec(0.398942280f)};
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
