// One lane with the interface of Vec, for algorithms whose data lies scattered.
// Include it after PYFM_ISA is defined.
#pragma once
namespace pyfm::PYFM_ISA {
namespace {

struct Scalar {
  using Mask = bool;
  static constexpr int lanes = 1;
  float v;

  Scalar() = default;
  explicit Scalar(float x) : v(x) {}
};

inline Scalar operator+(Scalar a, Scalar b) {
  return Scalar(a.v + b.v);
}
inline Scalar operator-(Scalar a, Scalar b) {
  return Scalar(a.v - b.v);
}
inline Scalar operator*(Scalar a, Scalar b) {
  return Scalar(a.v * b.v);
}
inline Scalar operator/(Scalar a, Scalar b) {
  return Scalar(a.v / b.v);
}
inline Scalar fma(Scalar a, Scalar b, Scalar c) {
  return Scalar(a.v * b.v + c.v);
}
inline Scalar sqrt(Scalar a) {
  return Scalar(__builtin_sqrtf(a.v));
}
inline Scalar sub_twice_over_sqrt(Scalar w, Scalar half, Scalar g, Scalar a) {
  const Scalar half_g = half * g;
  return w - (half_g + half_g) / sqrt(a);
}
inline Scalar abs(Scalar a) {
  return Scalar(__builtin_fabsf(a.v));
}
inline Scalar copysign(Scalar magnitude, Scalar sign) {
  return Scalar(__builtin_copysignf(magnitude.v, sign.v));
}
inline bool less_equal(Scalar a, Scalar b) {
  return a.v <= b.v;
}
inline Scalar select(bool mask, Scalar yes, Scalar no) {
  return mask ? yes : no;
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
