// What every optimizer can be asked for, around its step: a gradient clipped by value, and L1.
//
// L1 is the truncated gradient (Langford, Li, Zhang 2009) with an infinite threshold: after the
// step the weight moves by rate · λ₁ towards 0 and stops there, exactly. This is the proximal step
// of λ₁ |w| in the optimizer's own metric, as in Duchi, Hazan, Singer 2011: `rate` is how far the
// optimizer, in the state that it is in, goes for a gradient of 1 that lasts. A weight then rests
// where the penalized loss is least, whatever the optimizer.
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

template <class O>
struct Proximal : O {
  float most, l1;

  explicit Proximal(const OptimizerParams& p) : O(p), most(p.clip_value), l1(p.l1) {}

  template <class V>
  void step(V& w, V* s, V g) const {
    g = select(less_equal(V(most), abs(g)), copysign(V(most), g), g);  // NaN stays
    if constexpr (O::info.has_own_l1) {
      O::step(w, s, g);
    } else {
      O::step(w, s, g);
      const V by = V(l1) * O::rate(s);
      w = select(less_equal(abs(w), by), V(0.0f), w - copysign(by, w));
    }
  }

  // Where two threads have both moved a weight towards 0, together they stop there, too.
  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    if constexpr (O::info.has_own_l1) return O::merge(shared, own, base);
    const V before = shared[0], zero(0.0f);
    O::merge(shared, own, base);
    if (l1 == 0) return;
    const V w = shared[0], unless_own = select(less_equal(w * own[0], zero), zero, w);
    shared[0] = select(less_equal(w * before, zero), unless_own, w);
  }
};

// Of such optimizers there are few kernels (train/catalog.h), which do everything.
template <class O>
inline constexpr bool is_proximal = false;
template <class O>
inline constexpr bool is_proximal<Proximal<O>> = true;

}  // namespace
}  // namespace pyfm::PYFM_ISA
