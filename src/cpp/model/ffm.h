// Field-aware factorization machine (Juan et al. 2016).
//
//   S[f][g] = Σ_{j in f} x_j W[j][g]
//   score = Σ_{f<g} ⟨S[f][g], S[g][f]⟩ + ½ Σ_f ( |S[f][f]|² - Σ_{j in f} x_j² |W[j][f]|² )
//   d score / d W[j][g] = x_j S[g][f],   for g = f: x_j (S[f][f] - x_j W[j][f])
//
// The pair sum is S against its own transpose, in tiles (ffm_tiles.h).
#pragma once
#include "model/ffm_tiles.h"
#include "model/init.h"

namespace pyfm::PYFM_ISA {
namespace {

template <int K>
struct Ffm {
  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
    by_field<K>(view, s);
    if (!s.plain) return pairs<K, false>(view, s) + own_fields(view, s);
    return row.x[0] * row.x[0] * pairs<K, true>(view, s);
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    const Optimizer optimizer(view.params);
    if (s.plain) return update_pairs<K, true>(optimizer, view, dscore * s.row.x[0] * s.row.x[0], s);
    update_pairs<K, false>(optimizer, view, dscore, s);
    update_own_fields(optimizer, view, dscore, s);
  }

  template <class Optimizer>
  static void init_row(const PartView& view, FeatureId j) {
    init_factors<Optimizer>(view, j);
  }

  template <class Optimizer>
  static void init_scratch(const PartView& view, Scratch& s) {
    init_slots<Optimizer>(view, s.zeros);
  }

 private:
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
      const Vec sum = lanes.load(s.field_row[field] + at);
      total = fma(sum, sum, total);
      for (int e = s.first[field]; e >= 0; e = s.next_entry[e]) {
        const Vec xw = Vec(s.row.x[e]) * lanes.load(view.row(s.row.feature[e]) + at);
        total = total - xw * xw;
      }
    });
    return 0.5f * sum(total);
  }

  template <class Optimizer>
  static void update_own_fields(const Optimizer& optimizer, const PartView& view, float dscore,
                                const Scratch& s) {
    for_own_fields(view, s, [&](int field, Index at, Lanes lanes) {
      const Vec sum = lanes.load(s.field_row[field] + at);
      for (int e = s.first[field]; e >= 0; e = s.next_entry[e]) {
        float* row = view.row(s.row.feature[e]) + at;
        const Vec x(s.row.x[e]), w = lanes.load(row);
        step(optimizer, row, view.shape.width, lanes, w, Vec(dscore) * x * (sum - x * w));
      }
    });
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
