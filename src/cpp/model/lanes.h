// Vectors of `block` floats, taken in steps of Vec::lanes; the last may be a part of a vector.
// Include it after the Vec of the level.
#pragma once
#include <utility>

#include "base/types.h"
#include "model/view.h"
#include "simd/scalar.h"

namespace pyfm::PYFM_ISA {
namespace {

// Where the number of lanes is a compile-time constant, the choice folds away.
struct Lanes {
  int n;

  Vec load(const float* p) const {
    return n == Vec::lanes ? Vec::load(p) : Vec::load_partial(p, n);
  }
  void store(Vec v, float* p) const { n == Vec::lanes ? v.store(p) : v.store_partial(p, n); }
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

// One optimizer step on the weights `old` at `w`, whose slots lie `width` floats apart behind them.
template <class Optimizer>
[[gnu::always_inline]] inline void step(const Optimizer& optimizer, float* w, Index width,
                                        Lanes lanes, Vec old, Vec g) {
  constexpr int n = Optimizer::info.slots;
  Vec slots[n + 1];
  unroll<n>([&](auto s) { slots[s] = lanes.load(w + (s + 1) * width); });
  optimizer.step(old, slots, g);
  lanes.store(old, w);
  unroll<n>([&](auto s) { lanes.store(slots[s], w + (s + 1) * width); });
}

// The same for full vectors of which only the lanes in `keep` change.
template <class Optimizer>
[[gnu::always_inline]] inline void step_masked(const Optimizer& optimizer, float* w, Index width,
                                               Vec::Mask keep, Vec old, Vec g) {
  constexpr int n = Optimizer::info.slots;
  Vec fresh = old, slots[n + 1], before[n + 1];
  unroll<n>([&](auto s) { before[s] = slots[s] = Vec::load(w + (s + 1) * width); });
  optimizer.step(fresh, slots, g);
  select(keep, fresh, old).store(w);
  unroll<n>([&](auto s) { select(keep, slots[s], before[s]).store(w + (s + 1) * width); });
}

[[gnu::always_inline]] inline void prefetch(const float* w, Index floats) {
  constexpr Index line = 16;
  for (Index at = 0; at < floats; at += line) __builtin_prefetch(w + at, 1, 2);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
