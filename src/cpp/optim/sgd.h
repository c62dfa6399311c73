// Stochastic gradient descent: w -= η (g + λ₂ w).
#pragma once
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Sgd {
  static constexpr OptimizerInfo info = {"sgd", 0, "learning_rate l2"};
  float rate, l2;

  explicit Sgd(const OptimizerParams& p) : rate(p.learning_rate), l2(p.l2) {}

  template <class V>
  void init(V, V*) const {}

  template <class V>
  void to_sums(V*) const {}
  template <class V>
  void from_sums(V&, V*) const {}

  template <class V>
  void step(V& w, V*, V g) const {
    w = w - V(rate) * fma(V(l2), w, g);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
