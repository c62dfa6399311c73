// Walks a vector of `block` floats in steps of Vec::lanes. The last step may be a part of a vector.
#pragma once
#include "base/types.h"
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

// One optimizer step on the weights at `w`, whose slots lie `width` floats apart behind them.
// `old` are the weights, already loaded; only lanes in `keep` change when a mask is given.
template <class Optimizer>
[[gnu::always_inline]] inline void step(const Optimizer& optimizer, float* w, Index width,
                                        Lanes lanes, Vec old, Vec g) {
  constexpr int n = Optimizer::info.slots;
  Vec slots[n + 1];
  for (int s = 0; s < n; ++s) slots[s] = lanes.load(w + (s + 1) * width);
  optimizer.step(old, slots, g);
  lanes.store(old, w);
  for (int s = 0; s < n; ++s) lanes.store(slots[s], w + (s + 1) * width);
}

template <class Optimizer>
[[gnu::always_inline]] inline void step_masked(const Optimizer& optimizer, float* w, Index width,
                                               Vec::Mask keep, Vec old, Vec g) {
  constexpr int n = Optimizer::info.slots;
  Vec fresh = old, slots[n + 1], before[n + 1];
  for (int s = 0; s < n; ++s) before[s] = slots[s] = Vec::load(w + (s + 1) * width);
  optimizer.step(fresh, slots, g);
  select(keep, fresh, old).store(w);
  for (int s = 0; s < n; ++s) select(keep, slots[s], before[s]).store(w + (s + 1) * width);
}

// Gives slots of a row their initial state, from weights that are already there.
template <class Optimizer>
inline void init_slots(const Optimizer& optimizer, float* w, Index width) {
  constexpr int n = Optimizer::info.slots;
  for_lanes(width, [&](Index at, Lanes lanes) {
    Vec slots[n + 1];
    optimizer.init(lanes.load(w + at), slots);
    for (int s = 0; s < n; ++s) lanes.store(slots[s], w + at + (s + 1) * width);
  });
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
