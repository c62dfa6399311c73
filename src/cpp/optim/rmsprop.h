// RMSProp (Tieleman & Hinton 2012): g += λ₂ w,  v = ρ v + (1 - ρ) g²,  w -= η g / (√v + ε).
// Kept is √v: in 16 bits it has the wider range.
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct RmsProp {
  static constexpr OptimizerInfo info = {"rmsprop", 1, "learning_rate rho epsilon l1 l2"};
  float eta, rho, epsilon, l2;

  explicit RmsProp(const OptimizerParams& p)
      : eta(p.learning_rate), rho(p.rho), epsilon(p.epsilon), l2(p.l2) {}

  template <class V>
  void init(V, V* s) const {
    s[0] = V(0.0f);
  }

  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    shared[0] = with_gain(shared[0], own[0], base[0]);
    shared[1] = sqrt(mean(shared[1] * shared[1], own[1] * own[1]));
  }

  template <class V>
  V rate(const V* s) const {
    return V(eta) / (s[0] + V(epsilon));
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    g = fma(V(l2), w, g);
    s[0] = sqrt(fma(V(rho) * s[0], s[0], V(1 - rho) * g * g));
    w = w - rate(s) * g;
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
