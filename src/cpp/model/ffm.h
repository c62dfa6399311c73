// Field-aware factorization machine (Juan et al. 2016).
//
//   S[f][g] = Σ_{j in f} x_j W[j][g]
//   score = Σ_{f<g} ⟨S[f][g], S[g][f]⟩ + ½ Σ_f ( |S[f][f]|² - Σ_{j in f} x_j² |W[j][f]|² )
//   d score / d W[j][g] = x_j S[g][f],   for g = f: x_j (S[f][f] - x_j W[j][f])
//
// The pair sum is S against its own transpose, in tiles (ffm_tiles.h).
#pragma once
#include <type_traits>

#include "model/factor_rows.h"
#include "model/ffm_gradients.h"
#include "model/ffm_tiles.h"
#include "model/prefetch.h"
#include "model/slope.h"
#include "model/sums.h"
#include "optim/proximal.h"

namespace pyfm::PYFM_ISA {
namespace {

template <int K, class S>
struct Ffm : FactorRows<S> {
  static constexpr auto squared_slope = &ffm_squared_slope<S>;

  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
    list_rows_to_fetch(view, s);
    by_field<K, S>(view, s);
    return of_kind(s.kind, [&](auto kind) __attribute__((always_inline)) {
      const float score = pairs<K, S, kind>(view, s);
      if constexpr (equal_values(kind)) return row.x[0] * row.x[0] * score;
      if constexpr (kind == FieldRows::several) return score + own_fields(view, s);
      return score;
    });
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    const Optimizer optimizer(view.params);
    of_kind(s.kind, [&](auto kind) __attribute__((always_inline)) {
      if constexpr (equal_values(kind)) dscore *= s.row.x[0] * s.row.x[0];
      // Kernels that do everything take such rows as rows of any values, which are listed as 1.
      constexpr bool as_any = is_proximal<Optimizer> && kind == FieldRows::plain_partial;
      update_pairs<K, S, as_any ? kPartial : kind()>(optimizer, view, dscore, s);
      if constexpr (kind == FieldRows::several) update_own_fields(optimizer, view, dscore, s);
    });
  }

  static Index gradient_width(const PartShape& shape) noexcept { return shape.width; }

  static constexpr auto squared_norms = &FactorRows<S>::template squared_norms<false>;
  static constexpr auto add_sums = &PYFM_ISA::add_sums;

  template <class Optimizer>
  static void step_rows(const PartView& view, const RowId* rows, Index n, Index n_listed,
                        const float* gradients, const Scratch& s) noexcept {
    FactorRows<S>::template step_all<Optimizer, false>(view, rows, n, n_listed, gradients, s);
  }

  // Of the example that was scored last.
  static void add_example(const PartView& view, float dscore, float* const* gradient,
                          Scratch& s) noexcept {
    of_kind(s.kind, [&](auto kind) __attribute__((always_inline)) {
      if constexpr (equal_values(kind)) dscore *= s.row.x[0] * s.row.x[0];
      add_pairs<K, S, kind>(view, dscore, gradient, s);
      if constexpr (kind == FieldRows::several) add_own_fields<S>(view, dscore, gradient, s);
    });
  }

  // The padding is stepped like the rest; for that it needs slots in which nothing divides by 0.
  template <class Optimizer>
  static void init_scratch(const PartView& view, Scratch& s) {
    FactorRows<S>::template init_slots<Optimizer>(view, static_cast<S*>(s.padding));
  }

 private:
  // With one field per vector absent ones are left out as groups of their own.
  static constexpr bool kVectorsShared = fields_per_vector<K> > 1;
  static constexpr auto kPlainPartial =
      kVectorsShared ? FieldRows::plain_partial : FieldRows::plain;
  static constexpr auto kPartial = kVectorsShared ? FieldRows::partial : FieldRows::full;

  // f(what kernels take the kind for, as a constant).
  template <class F>
  [[gnu::always_inline]] static auto of_kind(FieldRows kind, F&& f) {
    switch (kind) {
      case FieldRows::plain:
        return f(std::integral_constant<FieldRows, FieldRows::plain>{});
      case FieldRows::full:
        return f(std::integral_constant<FieldRows, FieldRows::full>{});
      case FieldRows::plain_partial:
        return f(std::integral_constant<FieldRows, kPlainPartial>{});
      case FieldRows::partial:
        return f(std::integral_constant<FieldRows, kPartial>{});
      default:
        return f(std::integral_constant<FieldRows, FieldRows::several>{});
    }
  }

  // Pairs within a field, for fields with several entries.
  template <class F>
  static void for_own_fields(const PartView& view, const Scratch& s, F&& f) {
    for (int field = 0; field < view.shape.n_fields; ++field)
      if (const int e = s.first[field]; e >= 0 && s.next_entry[e] >= 0)
        for_lanes(view.shape.block, [&](Index at, Lanes lanes) {
          f(field, field * static_cast<Index>(view.shape.block) + at, lanes);
        });
  }

  static float own_fields(const PartView& view, const Scratch& s) {
    Vec total(0.0f);
    for_own_fields(view, s, [&](int field, Index at, Lanes lanes) {
      const Vec sum = lanes.load(s.sums + field * view.shape.width + at);
      total = fma(sum, sum, total);
      for (int e = s.first[field]; e >= 0; e = s.next_entry[e]) {
        const Vec xw = Vec(s.row.x[e]) * lanes.load(static_cast<S*>(s.row.at[e]) + at);
        total = total - xw * xw;
      }
    });
    return 0.5f * sum(total);
  }

  template <class Optimizer>
  static void update_own_fields(const Optimizer& optimizer, const PartView& view, float dscore,
                                const Scratch& s) {
    Rounding<S> rounding(s.noise);
    for_own_fields(view, s, [&](int field, Index at, Lanes lanes) {
      const Vec sum = lanes.load(s.sums + field * view.shape.width + at);
      for (int e = s.first[field]; e >= 0; e = s.next_entry[e]) {
        S* row = static_cast<S*>(s.row.at[e]) + at;
        const Vec x(s.row.x[e]), w = lanes.load(row);
        step(optimizer, row, view.shape.width, lanes, w, Vec(dscore) * x * (sum - x * w), rounding);
      }
    });
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
