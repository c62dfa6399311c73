// Factorization machine (Rendle 2010), pairwise part, in O(entries × k):
//   score = ½ Σ_d ( (Σ_j x_j V[j,d])² - Σ_j x_j² V[j,d]² )
//   d score / d V[j,d] = x_j (S[d] - x_j V[j,d]),   S[d] = Σ_j x_j V[j,d]
#pragma once
#include "model/gather.h"

namespace pyfm::PYFM_ISA {
namespace {

// K: floats of a block at compile time, 0 where only run time knows.
template <int K>
struct Fm {
  static float score(const PartView& view, const Row& row, float scale, Scratch& s) {
    gather(view, row, scale, false, s);
    Vec total(0.0f);
    for_lanes(K ? K : view.shape.block, [&](Index at, Lanes lanes) {
      Vec sum(0.0f), squares(0.0f);
      for (int i = 0; i < s.n_entries; ++i) {
        const Vec xv = Vec(s.x[i]) * lanes.load(s.entry[i] + at);
        sum = sum + xv;
        squares = fma(xv, xv, squares);
      }
      sum.store(s.sum + at);
      total = total + (sum * sum - squares);
    });
    return 0.5f * pyfm::PYFM_ISA::sum(total);
  }

  template <class Optimizer>
  static void update(const PartView& view, float dscore, Scratch& s) {
    const Optimizer optimizer{view.params};
    for_lanes(K ? K : view.shape.block, [&](Index at, Lanes lanes) {
      const Vec sum = Vec::load(s.sum + at);
      for (int i = 0; i < s.n_entries; ++i) {
        const Vec x(s.x[i]), v = lanes.load(s.entry[i] + at);
        const Vec g = Vec(dscore * s.x[i]) * (sum - x * v);
        step(optimizer, s.entry[i] + at, K ? K : view.shape.width, lanes, v, g);
      }
    });
  }

  template <class Optimizer>
  static void init_row(const PartView& view, FeatureId j) {
    init_weights(view.shape, j, view.row(j));
    init_slots(Optimizer{view.params}, view.row(j), view.shape.width);
  }

  static void prefetch(const PartView& view, const Row& row) {
    for (Index i = 0; i < row.size; ++i) {
      const float* w = view.row(row.features[i]);
      for (Index at = 0; at < view.shape.stride; at += 16) __builtin_prefetch(w + at, 1, 2);
    }
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
