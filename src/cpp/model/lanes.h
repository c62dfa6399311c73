// Vectors of `block` floats, taken in steps of Vec::lanes; the last may be a part of a vector.
// Include it after the Vec of the level.
#pragma once
#include <utility>

#include "base/types.h"
#include "model/rounding.h"
#include "simd/scalar.h"

namespace pyfm::PYFM_ISA {
namespace {

// Where the number of lanes is a compile-time constant, the choice folds away.
struct Lanes {
  int n;

  template <class S>
  Vec load(const S* p) const {
    return n == Vec::lanes ? Vec::load(p) : Vec::load_partial(p, n);
  }
  void store(Vec v, float* p, NoBits = {}) const {
    n == Vec::lanes ? v.store(p) : v.store_partial(p, n);
  }
  template <class S>
  void store(Vec v, S* p, Vec::Bits up) const {
    n == Vec::lanes ? v.store(p, up) : v.store_partial(p, n, up);
  }
};

template <class F>
[[gnu::always_inline]] inline void for_lanes(Index size, F&& f) {
  for (Index at = 0; at < size; at += Vec::lanes)
    f(at, Lanes{static_cast<int>(size - at < Vec::lanes ? size - at : Vec::lanes)});
}

// f(0) … f(N - 1) with constant arguments: arrays indexed by them stay in registers.
template <int N, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>{}), ...);
  }(std::make_integer_sequence<int, N>{});
}

// Weights and slots to their places. `lanes` reads and writes vectors, here and below. One draw of
// bits rounds a weight and its slots: what the errors of one do to the other is of second order.
template <int n, class L, class S>
[[gnu::always_inline]] inline void store_row(S* w, Index width, const L& lanes, Vec weights,
                                             const StepVec<S>* slots, Rounding<S>& rounding) {
  const auto bits = rounding.next();
  lanes.store(weights, w, bits);
  unroll<n>([&](auto s) __attribute__((always_inline)) {
    lanes.store(slots[s], w + (s + 1) * width, bits);
  });
}

// One optimizer step on the weights `old` at `w`, whose slots lie `width` numbers apart behind
// them.
template <class Optimizer, class L, class S>
[[gnu::always_inline]] inline void step(const Optimizer& optimizer, S* w, Index width,
                                        const L& lanes, Vec old, Vec g, Rounding<S>& rounding) {
  constexpr int n = Optimizer::info.slots;
  StepVec<S> fresh = old, slots[n + 1];
  unroll<n>([&](auto s)
                __attribute__((always_inline)) { slots[s] = lanes.load(w + (s + 1) * width); });
  optimizer.step(fresh, slots, StepVec<S>(g));
  store_row<n>(w, width, lanes, fresh, slots, rounding);
}

// The same where only some lanes change.
template <class Optimizer, class L, class S>
[[gnu::always_inline]] inline void step_masked(const Optimizer& optimizer, S* w, Index width,
                                               const L& lanes, Vec::Mask changes, Vec old, Vec g,
                                               Rounding<S>& rounding) {
  constexpr int n = Optimizer::info.slots;
  StepVec<S> fresh = old, slots[n + 1], before[n + 1];
  unroll<n>([&](auto s) __attribute__((always_inline)) {
    before[s] = slots[s] = lanes.load(w + (s + 1) * width);
  });
  optimizer.step(fresh, slots, StepVec<S>(g));
  unroll<n>([&](auto s) __attribute__((always_inline)) {
    slots[s] = select(changes, slots[s], before[s]);
  });
  store_row<n>(w, width, lanes, select(changes, fresh, old), slots, rounding);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
