// Stochastic gradient descent: w -= η (g + λ₂ w).
#pragma once
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Sgd {
  static constexpr OptimizerInfo info = {"sgd", 0, "learning_rate l2"};
  OptimizerParams p;

  template <class V>
  void init(V, V*) const {}

  template <class V>
  void step(V& w, V*, V g) const {
    w = w - V(p.learning_rate) * fma(V(p.l2), w, g);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
