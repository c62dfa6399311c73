// Factorization machine (Rendle 2010), pairwise part, in O(entries × k):
//   score = ½ Σ_d ( (Σ_j x_j V[j,d])² - Σ_j x_j² V[j,d]² )
//   d score / d V[j,d] = x_j (S[d] - x_j V[j,d]),   S[d] = Σ_j x_j V[j,d]
#pragma once
#include "model/batch.h"
#include "model/embedding.h"
#include "model/factor_rows.h"
#include "model/prefetch.h"
#include "model/slope.h"

namespace pyfm::PYFM_ISA {
namespace {

// K: numbers of a block at compile time, 0 where only run time knows.
template <int K, class S>
struct Fm : FactorRows<S> {
  static constexpr auto squared_slope = &fm_squared_slope<S>;
  static constexpr auto embed = &PYFM_ISA::embed<S>;
  static constexpr auto add_embedded = &PYFM_ISA::add_embedded;

  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
    // Sums of every other entry where a vector is all of a block: none waits for the one before it.
    // A matter of the block and not of K, so that all kernels give the same bits.
    if ((K ? K : view.shape.block) <= Vec::lanes)
      return row.equal ? score_of<true, 2>(view, row, s) : score_of<false, 2>(view, row, s);
    return row.equal ? score_of<true, 1>(view, row, s) : score_of<false, 1>(view, row, s);
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    if (s.row.equal)
      update_of<true>(Optimizer(view.params), view, dscore, s);
    else
      update_of<false>(Optimizer(view.params), view, dscore, s);
  }

  // Of a row: Σ dscore x S over its entries, and Σ dscore x², which the step multiplies with V.
  static Index gradient_width(const PartShape& shape) noexcept { return shape.width + 1; }

  static void add_touches(const PartView& view, const Touch* touches, const std::uint32_t* at,
                          Index n, const ExampleFacts& f, float* gradients) noexcept {
    const ExampleFacts facts = f;
    const Index width = K ? K : view.shape.width;
    for (Index i = 0; i < n; ++i) {
      const Touch t = touches[i];
      const float* const sum = facts.sum + t.example * facts.sum_stride;
      float* const slab = gradients + at[i] / kSlab * kSlab * (width + 1);
      float* const gradient = slab + at[i] % kSlab * width;
      const float dx = facts.dscore[t.example] * t.x;
      for_lanes(width, [&](Index d, Lanes lanes) __attribute__((always_inline)) {
        lanes.store(fma(Vec(dx), Vec::load(sum + d), lanes.load(gradient + d)), gradient + d);
      });
      slab[kSlab * width + at[i] % kSlab] += dx * t.x;
    }
  }

  static constexpr auto squared_norms = &FactorRows<S>::template squared_norms<true>;

  template <class Optimizer>
  static void step_rows(const PartView& view, const RowId* rows, Index n, Index n_listed,
                        const float* gradients, const Scratch& s) noexcept {
    FactorRows<S>::template step_all<Optimizer, true>(view, rows, n, n_listed, gradients, s);
  }

 private:
  // Equal: all values are the same; the sums do without them until the end. C: running sums, of
  // every C-th entry.
  template <bool Equal, int C>
  [[gnu::always_inline]] static float score_of(const PartView& view, const Entries& row,
                                               const Scratch& s) {
    const Vec x0(row.size > 0 ? row.x[0] : 0.0f);
    Vec total(0.0f);
    for_strips(view, [&](Index at, Lanes lanes) __attribute__((always_inline)) {
      Vec first[C][V], squares[C][V];
      unroll<C>(
          [&](auto c) { unroll<V>([&](auto v) { first[c][v] = squares[c][v] = Vec(0.0f); }); });
      const auto add = [&](int i, auto c) __attribute__((always_inline)) {
        if (at == 0) prefetch_next(view, s, i);
        const S* weights = static_cast<const S*>(row.at[i]) + at;
        unroll<V>([&](auto v) __attribute__((always_inline)) {
          Vec xv = lanes.load(weights + v * Vec::lanes);
          if constexpr (!Equal) xv = Vec(row.x[i]) * xv;
          first[c][v] = first[c][v] + xv;
          squares[c][v] = fma(xv, xv, squares[c][v]);
        });
      };
      int i = 0;
      for (; i + C <= row.size; i += C)
        unroll<C>([&](auto c) __attribute__((always_inline)) { add(i + c, c); });
      for (; i < row.size; ++i) add(i, std::integral_constant<int, 0>{});
      unroll<V>([&](auto v) __attribute__((always_inline)) {
        Vec all = first[0][v], all_squares = squares[0][v];
        if constexpr (C > 1) all = all + first[1][v], all_squares = all_squares + squares[1][v];
        if constexpr (Equal) all = x0 * all, all_squares = x0 * x0 * all_squares;
        all.store(s.sum + at + v * Vec::lanes);
        total = total + (all * all - all_squares);
      });
    });
    for (int i = row.size; i < s.next.size; ++i) prefetch_next(view, s, i);
    return 0.5f * sum(total);
  }

  template <bool Equal, class Optimizer>
  [[gnu::always_inline]] static void update_of(const Optimizer& optimizer, const PartView& view,
                                               float dscore, const Scratch& s) {
    const Index width = K ? K : view.shape.width;
    const float x0 = s.row.size > 0 ? s.row.x[0] : 0.0f;
    Rounding<S> rounding(s.noise);
    for_strips(view, [&](Index at, Lanes lanes) __attribute__((always_inline)) {
      Vec sums[V];
      // Where all values are the same, the gradient is one product: slope S + own w.
      const Vec slope(dscore * x0), own(-dscore * x0 * x0);
      unroll<V>([&](auto v) __attribute__((always_inline)) {
        sums[v] = Vec::load(s.sum + at + v * Vec::lanes);
        if constexpr (Equal) sums[v] = slope * sums[v];
      });
      for (int i = 0; i < s.row.size; ++i) {
        S* row = static_cast<S*>(s.row.at[i]) + at;
        const Vec x(Equal ? x0 : s.row.x[i]), dx(Equal ? 0.0f : dscore * s.row.x[i]);
        unroll<V>([&](auto v) __attribute__((always_inline)) {
          S* weights = row + v * Vec::lanes;
          const Vec w = lanes.load(weights);
          const Vec g = Equal ? fma(own, w, sums[v]) : dx * (sums[v] - x * w);
          step(optimizer, weights, width, lanes, w, g, rounding);
        });
      }
    });
  }

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
    if (i < s.next.size)
      prefetch(static_cast<const S*>(s.next.at[i]),
               s.fetches_slots ? view.shape.stride : view.shape.width);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
