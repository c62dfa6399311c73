// FTRL-proximal (McMahan et al. 2013), per coordinate:
//   σ = (√(n + g²) - √n) / α,  z += g - σ w,  n += g²
//   w = 0 if |z| <= λ₁, else -(z - sign(z) λ₁) / ((β + √n) / α + λ₂)
// The weight is a function of z and n, so z starts where that function gives the initial weight.
// Kept are z and √n: one root a step, and in 16 bits a wider range. λ₁ is looked at in kernels that
// shrink alone.
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Ftrl {
  static constexpr OptimizerInfo info = {"ftrl", 2, "learning_rate beta l1 l2", true};
  float inverse_rate, least_curvature, l1;

  explicit Ftrl(const OptimizerParams& p)
      : inverse_rate(1 / p.learning_rate),
        least_curvature(p.beta / p.learning_rate + p.l2),
        l1(p.l1) {}

  template <class V>
  void init(V w, V* s) const {
    const V zero(0.0f);
    const V z = zero - (w * V(least_curvature) + copysign(V(l1), w));
    s[0] = select(less_equal(abs(w), zero), zero, z);
    s[1] = zero;
  }

  // Squares add up, and the weight follows from what they add up to.
  template <bool shrinks = false, class V>
  void merge(V* shared, const V* own, const V* base) const {
    const V n = with_gain(shared[2] * shared[2], own[2] * own[2], base[2] * base[2]);
    shared[1] = with_gain(shared[1], own[1], base[1]);
    shared[2] = sqrt(select(less_equal(n, V(0.0f)), V(0.0f), n));
    shared[0] = weight<shrinks>(shared[1], shared[2]);
  }

  template <bool shrinks = false, class V>
  void step(V& w, V* s, V g) const {
    const V root = s[1];
    s[1] = sqrt(fma(g, g, root * root));
    s[0] = s[0] + g - (s[1] - root) * V(inverse_rate) * w;
    w = weight<shrinks>(s[0], s[1]);
  }

 private:
  template <bool shrinks, class V>
  V weight(V z, V root_n) const {
    const V curvature = fma(root_n, V(inverse_rate), V(least_curvature));
    if constexpr (!shrinks) return (V(0.0f) - z) / curvature;
    const V shrunk = copysign(V(l1), z) - z;
    return select(less_equal(abs(z), V(l1)), V(0.0f), shrunk / curvature);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
