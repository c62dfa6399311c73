// Stochastic gradient descent: w -= η (g + λ₂ w).
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Sgd {
  static constexpr OptimizerInfo info = {"sgd", 0, "learning_rate l1 l2"};
  float eta, l2;

  explicit Sgd(const OptimizerParams& p) : eta(p.learning_rate), l2(p.l2) {}

  template <class V>
  void init(V, V*) const {}

  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    shared[0] = with_gain(shared[0], own[0], base[0]);
  }

  template <class V>
  V rate(const V*) const {
    return V(eta);
  }

  template <class V>
  void step(V& w, V*, V g) const {
    w = w - V(eta) * fma(V(l2), w, g);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
