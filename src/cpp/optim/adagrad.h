// AdaGrad (Duchi, Hazan, Singer 2011): g += λ₂ w,  G += g²,  w -= η g / √G.  G starts at G₀ > 0.
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct AdaGrad {
  static constexpr OptimizerInfo info = {"adagrad", 1, "learning_rate initial_accumulator l1 l2"};
  float half_rate, l2, initial;

  explicit AdaGrad(const OptimizerParams& p)
      : half_rate(p.learning_rate / 2), l2(p.l2), initial(p.initial_accumulator) {}

  template <class V>
  void init(V, V* s) const {
    s[0] = V(initial);
  }

  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    for (int i = 0; i < 2; ++i) shared[i] = with_gain(shared[i], own[i], base[i]);
  }

  template <class V>
  V rate(const V* s) const {
    return sub_twice_over_sqrt(V(0.0f), V(-half_rate), V(1.0f), s[0]);
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    g = fma(V(l2), w, g);
    s[0] = fma(g, g, s[0]);
    w = sub_twice_over_sqrt(w, V(half_rate), g, s[0]);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
