// Factorization machine (Rendle 2010), pairwise part, in O(entries × k):
//   score = ½ Σ_d ( (Σ_j x_j V[j,d])² - Σ_j x_j² V[j,d]² )
//   d score / d V[j,d] = x_j (S[d] - x_j V[j,d]),   S[d] = Σ_j x_j V[j,d]
#pragma once
#include "model/factor_rows.h"

namespace pyfm::PYFM_ISA {
namespace {

// K: numbers of a block at compile time, 0 where only run time knows.
template <int K, class S>
struct Fm : FactorRows<S> {
  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
    Vec total(0.0f);
    for_strips(view, [&](Index at, Lanes lanes) {
      Vec first[V], squares[V];
      unroll<V>([&](auto v) { first[v] = squares[v] = Vec(0.0f); });
      for (int i = 0; i < row.size; ++i) {
        if (at == 0) prefetch_next(view, s, i);
        const S* weights = view.row<S>(row.row[i]) + at;
        unroll<V>([&](auto v) {
          const Vec xv = Vec(row.x[i]) * lanes.load(weights + v * Vec::lanes);
          first[v] = first[v] + xv;
          squares[v] = fma(xv, xv, squares[v]);
        });
      }
      unroll<V>([&](auto v) {
        first[v].store(s.sum + at + v * Vec::lanes);
        total = total + (first[v] * first[v] - squares[v]);
      });
    });
    if (s.next)
      for (int i = row.size; i < s.next->size; ++i) prefetch_next(view, s, i);
    return 0.5f * sum(total);
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    const Optimizer optimizer(view.params);
    const Index width = K ? K : view.shape.width;
    Rounding<S> rounding(s.noise);
    for_strips(view, [&](Index at, Lanes lanes) {
      Vec sums[V];
      unroll<V>([&](auto v) { sums[v] = Vec::load(s.sum + at + v * Vec::lanes); });
      for (int i = 0; i < s.row.size; ++i) {
        S* row = view.row<S>(s.row.row[i]) + at;
        const Vec x(s.row.x[i]), dx(dscore * s.row.x[i]);
        unroll<V>([&](auto v) {
          S* weights = row + v * Vec::lanes;
          const Vec w = lanes.load(weights);
          step(optimizer, weights, width, lanes, w, dx * (sums[v] - x * w), rounding);
        });
      }
    });
  }

 private:
  // Vectors that are worked on together: as many as a block has, where that is known.
  static constexpr int V = K > Vec::lanes ? K / Vec::lanes : 1;

  template <class F>
  [[gnu::always_inline]] static void for_strips(const PartView& view, F&& f) {
    if constexpr (V > 1)
      f(Index{0}, Lanes{Vec::lanes});
    else
      for_lanes(K ? K : view.shape.block, f);
  }

  // A little with every entry, so that requests never queue up.
  [[gnu::always_inline]] static void prefetch_next(const PartView& view, const Scratch& s, int i) {
    if (s.next && i < s.next->size)
      prefetch(view.row<S>(s.next->row[i]), s.trains ? view.shape.stride : view.shape.width);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
