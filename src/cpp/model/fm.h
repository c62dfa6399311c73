// Factorization machine (Rendle 2010), pairwise part, in O(entries × k):
//   score = ½ Σ_d ( (Σ_j x_j V[j,d])² - Σ_j x_j² V[j,d]² )
//   d score / d V[j,d] = x_j (S[d] - x_j V[j,d]),   S[d] = Σ_j x_j V[j,d]
#pragma once
#include "model/init.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

// K: floats of a block at compile time, 0 where only run time knows.
template <int K>
struct Fm {
  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
    if (s.next)
      for (Index i = 0; i < s.next->size; ++i)
        prefetch(view.row(s.next->features[i]), view.shape.stride);
    Vec total(0.0f);
    for_lanes(K ? K : view.shape.block, [&](Index at, Lanes lanes) {
      Vec first(0.0f), squares(0.0f);
      for (int i = 0; i < row.size; ++i) {
        const Vec xv = Vec(row.x[i]) * lanes.load(view.row(row.feature[i]) + at);
        first = first + xv;
        squares = fma(xv, xv, squares);
      }
      first.store(s.sum + at);
      total = total + (first * first - squares);
    });
    return 0.5f * sum(total);
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    const Optimizer optimizer(view.params);
    for_lanes(K ? K : view.shape.block, [&](Index at, Lanes lanes) {
      const Vec sum = Vec::load(s.sum + at);
      for (int i = 0; i < s.row.size; ++i) {
        float* row = view.row(s.row.feature[i]) + at;
        const Vec x(s.row.x[i]), v = lanes.load(row);
        const Vec g = Vec(dscore * s.row.x[i]) * (sum - x * v);
        step(optimizer, row, K ? K : view.shape.width, lanes, v, g);
      }
    });
  }

  template <class Optimizer>
  static void init_row(const PartView& view, FeatureId j) {
    init_factors<Optimizer>(view, j);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
