// SGD with momentum, in the form of Sutskever et al. 2013 without the rate in v (as in PyTorch):
//   g += λ₂ w,  v = μ v + g
//   heavy ball (Polyak 1964):      w -= η v
//   Nesterov's acceleration (1983): w -= η (g + μ v)
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Momentum {
  static constexpr OptimizerInfo info = {"momentum", 1, "learning_rate momentum l1 l2"};
  float eta, mu, l2, lasting;

  explicit Momentum(const OptimizerParams& p)
      : eta(p.learning_rate), mu(p.momentum), l2(p.l2), lasting(eta / (1 - mu)) {}

  template <class V>
  void init(V, V* s) const {
    s[0] = V(0.0f);
  }

  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    shared[0] = with_gain(shared[0], own[0], base[0]);
    shared[1] = mean(shared[1], own[1]);
  }

  // Of a gradient that lasts v becomes g / (1 - μ).
  template <class V>
  V rate(const V*) const {
    return V(lasting);
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    s[0] = fma(V(mu), s[0], fma(V(l2), w, g));
    w = w - V(eta) * s[0];
  }
};

struct Nesterov : Momentum {
  static constexpr OptimizerInfo info = {"nesterov", 1, "learning_rate momentum l1 l2"};

  using Momentum::Momentum;

  template <class V>
  void step(V& w, V* s, V g) const {
    g = fma(V(l2), w, g);
    s[0] = fma(V(mu), s[0], g);
    w = w - V(eta) * fma(V(mu), s[0], g);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
