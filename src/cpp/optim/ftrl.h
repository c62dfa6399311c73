// FTRL-proximal (McMahan et al. 2013), per coordinate:
//   σ = (√(n + g²) - √n) / α,  z += g - σ w,  n += g²
//   w = 0 if |z| <= λ₁, else -(z - sign(z) λ₁) / ((β + √n) / α + λ₂)
// The weight is a function of z and n, so z starts where that function gives the initial weight.
#pragma once
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Ftrl {
  static constexpr OptimizerInfo info = {"ftrl", 2, "learning_rate beta l1 l2"};
  OptimizerParams p;

  template <class V>
  void init(V w, V* s) const {
    const V zero(0.0f);
    const V z = zero - (w * V(p.beta / p.learning_rate + p.l2) + copysign(V(p.l1), w));
    s[0] = select(less_equal(abs(w), zero), zero, z);
    s[1] = zero;
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    const V inverse_rate(1.0f / p.learning_rate);
    const V root = sqrt(s[1]);
    s[1] = fma(g, g, s[1]);
    const V new_root = sqrt(s[1]);
    s[0] = s[0] + g - (new_root - root) * inverse_rate * w;
    const V curvature = fma(V(p.beta) + new_root, inverse_rate, V(p.l2));
    const V shrunk = copysign(V(p.l1), s[0]) - s[0];
    w = select(less_equal(abs(s[0]), V(p.l1)), V(0.0f), shrunk / curvature);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
