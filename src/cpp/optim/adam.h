// Adam (Kingma & Ba 2015), with the decoupled decay of AdamW (Loshchilov & Hutter 2019):
//   g += λ₂ w,  t += 1
//   m = β₁ m + (1 - β₁) g,   m̂ = m / (1 - β₁ᵗ)
//   v = β₂ v + (1 - β₂) g²,  v̂ = v / (1 - β₂ᵗ)
//   w -= η m̂ / (√v̂ + ε) + η λ w
//
// t counts the steps of each weight by itself: a rare feature's averages start when it first comes
// up, and its first steps are as long as anyone's. Counted over all examples, 1 - βᵗ is 1 by then,
// and the first step is (1 - β₁) / √(1 - β₂) times as long, thrice with the usual numbers.
//
// Kept are m̂, √v̂ and t. An average without bias obeys x̂ += (1 - β) / (1 - βᵗ) (new - x̂), and in
// 16 bits it is of the size of the gradients from the first step on.
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

// 1 - e⁻ˣ for x >= 0 with small relative error: E(2y) = E(y) (2 - E(y)), thrice from the series at
// x / 8.
template <class V>
inline V one_minus_exp(V x) {
  const V most(2.4f);  // beyond, float32 knows only 1
  V y = x * V(1.0f / 8);
  y = select(less_equal(y, most), y, most);
  V e = fma(y, V(1.0f / 5040), V(-1.0f / 720));
  e = fma(y, fma(y, fma(y, e, V(1.0f / 120)), V(-1.0f / 24)), V(1.0f / 6));
  e = fma(y, fma(y, e, V(-0.5f)), V(1.0f)) * y;
  for (int i = 0; i < 3; ++i) e = e * (V(2.0f) - e);
  return e;
}

struct Adam {
  static constexpr OptimizerInfo info = {"adam", 3,
                                         "learning_rate beta1 beta2 epsilon weight_decay l1 l2"};
  float eta, beta1, beta2, log1, log2, epsilon, kept, l2;

  explicit Adam(const OptimizerParams& p)
      : eta(p.learning_rate),
        beta1(p.beta1),
        beta2(p.beta2),
        log1(-__builtin_logf(beta1)),
        log2(-__builtin_logf(beta2)),
        epsilon(p.epsilon),
        kept(1 - eta * p.weight_decay),
        l2(p.l2) {}

  template <class V>
  void init(V, V* s) const {
    for (int i = 0; i < 3; ++i) s[i] = V(0.0f);
  }

  // The averages count by the steps that they stand for.
  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    const V all = shared[3] + own[3];
    const V share = own[3] / select(less_equal(all, V(0.0f)), V(1.0f), all);
    const auto average = [&](V a, V b) { return fma(share, b - a, a); };
    const V square = average(shared[2] * shared[2], own[2] * own[2]);
    shared[0] = with_gain(shared[0], own[0], base[0]);
    shared[1] = average(shared[1], own[1]);
    shared[2] = sqrt(select(less_equal(square, V(0.0f)), V(0.0f), square));
    shared[3] = with_gain(shared[3], own[3], base[3]);
  }

  template <class V>
  V rate(const V* s) const {
    return V(eta) / (s[1] + V(epsilon));
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    g = fma(V(l2), w, g);
    s[2] = s[2] + V(1.0f);
    const V mass1 = one_minus_exp(V(log1) * s[2]), mass2 = one_minus_exp(V(log2) * s[2]);
    const V inverse = V(1.0f) / (mass1 * mass2);  // one division for two
    s[0] = fma(V(1 - beta1) * mass2 * inverse, g - s[0], s[0]);
    const V square = s[1] * s[1];
    s[1] = sqrt(fma(V(1 - beta2) * mass1 * inverse, g * g - square, square));
    w = V(kept) * w - rate(s) * s[0];
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
