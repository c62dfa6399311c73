// Initial state of a table row. Weights that are there already (set by hand, or pre-trained) stay.
#pragma once
#include "base/random.h"
#include "model/lanes.h"
#include "model/view.h"

namespace pyfm::PYFM_ISA {
namespace {

// Weights are a pure function of (seed, feature, position in the row); padding is 0.
inline void init_weights(const PartShape& shape, FeatureId j, float* w) {
  const std::uint64_t key = random_key(shape.seed, j);
  const float low = shape.init_low, range = shape.init_high - shape.init_low;
  for (Index i = 0; i < shape.width; ++i)
    w[i] = low + range * random_uniform(key, static_cast<std::uint32_t>(i));
  if (shape.block > shape.n_factors)
    for (Index f = 0; f < shape.n_fields; ++f)
      for (int d = shape.n_factors; d < shape.block; ++d) w[f * shape.block + d] = 0;
  for (Index i = static_cast<Index>(shape.n_fields) * shape.block; i < shape.width; ++i) w[i] = 0;
}

inline bool all_zero(const float* w, Index size) {
  bool zero = true;
  for (Index i = 0; i < size; ++i) zero &= w[i] == 0;
  return zero;
}

// Gives the slots of a row their initial state.
template <class Optimizer>
inline void init_slots(const PartView& view, float* w) {
  constexpr int n = Optimizer::info.slots;
  const Optimizer optimizer(view.params);
  const Index width = view.shape.width;
  for_lanes(width, [&](Index at, Lanes lanes) {
    Vec slots[n + 1];
    optimizer.init(lanes.load(w + at), slots);
    for (int s = 0; s < n; ++s) lanes.store(slots[s], w + at + (s + 1) * width);
  });
}

template <class Optimizer>
inline void init_factors(const PartView& view, FeatureId j) {
  float* w = view.row(j);
  if (all_zero(w, view.shape.width)) init_weights(view.shape, j, w);
  init_slots<Optimizer>(view, w);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
