// Field-aware factorization machine (Juan et al. 2016).
//
//   S[f][g] = Σ_{j in f} x_j W[j][g]
//   score = Σ_{f<g} ⟨S[f][g], S[g][f]⟩ + ½ Σ_f ( |S[f][f]|² - Σ_{j in f} x_j² |W[j][f]|² )
//   d score / d W[j][g] = x_j S[g][f],   for g = f: x_j (S[f][f] - x_j W[j][f])
//
// The pair sum is S against its own transpose, in tiles of B × B fields (B = fields in a vector)
// that are transposed in registers. Tile (I, J) holds all blocks that groups I and J use against
// each other and no other tile does, so that updates may write in place.
#pragma once
#include "model/ffm_fields.h"

namespace pyfm::PYFM_ISA {
namespace {

template <int K>
struct Ffm {
  static constexpr int B = fields_per_vector<K>;

  static float score(const PartView& view, const Row& row, float scale, Scratch& s) {
    gather(view, row, scale, true, s);
    by_field<K>(view, row.values == nullptr, s);
    return s.plain ? scale * scale * pairs<true>(view, s)
                   : pairs<false>(view, s) + own_fields(view, s);
  }

  template <class Optimizer>
  static void update(const PartView& view, float dscore, Scratch& s) {
    const Optimizer optimizer{view.params};
    if (s.plain) return update_pairs<true>(optimizer, view, dscore * s.x[0] * s.x[0], s);
    update_pairs<false>(optimizer, view, dscore, s);
    update_own_fields(optimizer, view, dscore, s);
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

 private:
  // The tile that groups I and J use against each other, a[q] from rows of I and b[q] from rows of
  // J; `at_i` and `at_j` are where in a row the blocks against I and J lie.
  struct Tile {
    int i, j;  // first fields
    Index at_i, at_j;
    Lanes lanes;
    Vec a[B], b[B];
  };

  // Calls f for every tile with I <= J in which both groups have an entry.
  template <class F>
  [[gnu::always_inline]] static void for_tiles(const PartView& view, const Scratch& s, F&& f) {
    const Index block = K ? K : view.shape.block;
    for (int m = 0; m < s.n_groups; ++m)
      for (int n = B > 1 ? m : m + 1; n < s.n_groups; ++n)
        for_lanes(B * block, [&](Index at, Lanes lanes) {
          Tile t;
          t.i = s.group[m] * B, t.j = s.group[n] * B;
          t.at_i = t.i * block + at, t.at_j = t.j * block + at;
          t.lanes = lanes;
          for (int q = 0; q < B; ++q) t.a[q] = lanes.load(s.field_row[t.i + q] + t.at_j);
          for (int q = 0; q < B; ++q) t.b[q] = lanes.load(s.field_row[t.j + q] + t.at_i);
          f(t);
        });
  }

  // On the diagonal, 1 in the lanes of fields after the q-th of the group; in those of all but it.
  static Vec after(int q) {
    return lanes_where([q](int field) { return field > q; });
  }
  static Vec other(int q) {
    return lanes_where([q](int field) { return field != q; });
  }
  template <class F>
  static Vec lanes_where(F&& test) {
    float ones[Vec::lanes];
    for (int lane = 0; lane < Vec::lanes; ++lane) ones[lane] = test(lane * B / Vec::lanes);
    return Vec::load(ones);
  }

  template <bool Plain>
  static float pairs(const PartView& view, const Scratch& s) {
    Vec total[B];
    for (Vec& t : total) t = Vec(0.0f);
    for_tiles(view, s, [&](Tile& t) {
      if constexpr (B > 1) transpose_groups<K>(t.b);
      for (int q = 0; q < B; ++q) {
        if constexpr (!Plain)
          t.a[q] = t.a[q] * (Vec(s.scale[t.i + q]) * t.lanes.load(s.lane_scale + t.at_j));
        if (B > 1 && t.i == t.j) t.a[q] = t.a[q] * after(q);
        total[q] = fma(t.a[q], t.b[q], total[q]);
      }
    });
    for (int q = 1; q < B; ++q) total[0] = total[0] + total[q];
    return sum(total[0]);
  }

  template <bool Plain, class Optimizer>
  static void update_pairs(const Optimizer& optimizer, const PartView& view, float dscore,
                           Scratch& s) {
    const Vec k(dscore);
    for_tiles(view, s, [&](Tile& t) {
      Vec ta[B], tb[B];
      for (int q = 0; q < B; ++q) ta[q] = t.a[q], tb[q] = t.b[q];
      if constexpr (B > 1) transpose_groups<K>(ta), transpose_groups<K>(tb);
      for (int q = 0; q < B; ++q) {
        const bool diagonal = B > 1 && t.i == t.j;
        step_field<Plain>(optimizer, view, s, t, t.i, q, t.at_j, t.a[q], k * tb[q], diagonal);
        if (!diagonal)
          step_field<Plain>(optimizer, view, s, t, t.j, q, t.at_i, t.b[q], k * ta[q], false);
      }
    });
  }

  // One step on the blocks at `at` of field (first + q); g lacks the values of the entries.
  template <bool Plain, class Optimizer>
  [[gnu::always_inline]] static void step_field(const Optimizer& optimizer, const PartView& view,
                                                const Scratch& s, const Tile& t, int first, int q,
                                                Index at, Vec w, Vec g, bool diagonal) {
    const int field = first + q;
    if constexpr (Plain) {
      if (B > 1 && field >= view.shape.n_fields) return;
      if (diagonal)
        step_masked(optimizer, s.field_row[field] + at, view.shape.width, nonzero(other(q)), w, g);
      else
        step(optimizer, s.field_row[field] + at, view.shape.width, t.lanes, w, g);
    } else {
      const Vec scale = t.lanes.load(s.lane_scale + at);
      Vec keep =
          scale;  // absent fields and, on the diagonal, the field's own block stay as they are
      if (diagonal) keep = keep * other(q);
      for (int e = s.first[field]; e >= 0; e = s.next[e]) {
        float* row = s.entry[e] + at;
        const Vec old = t.lanes.load(row);
        const Vec ge = g * scale * Vec(s.x[e]);
        if constexpr (B > 1)
          step_masked(optimizer, row, view.shape.width, nonzero(keep), old, ge);
        else
          step(optimizer, row, view.shape.width, t.lanes, old, ge);
      }
    }
  }

  // Fields with several entries: pairs within the field.
  template <class F>
  static void for_own_fields(const PartView& view, const Scratch& s, F&& f) {
    for (int field = 0; field < view.shape.n_fields; ++field)
      if (const int e = s.first[field]; e >= 0 && s.next[e] >= 0)
        for_lanes(view.shape.block, [&](Index at, Lanes lanes) {
          f(field, field * static_cast<Index>(view.shape.block) + at, lanes);
        });
  }

  static float own_fields(const PartView& view, const Scratch& s) {
    Vec total(0.0f);
    for_own_fields(view, s, [&](int field, Index at, Lanes lanes) {
      const Vec sum = lanes.load(s.field_row[field] + at);
      Vec own = sum * sum;
      for (int e = s.first[field]; e >= 0; e = s.next[e]) {
        const Vec xw = Vec(s.x[e]) * lanes.load(s.entry[e] + at);
        own = own - xw * xw;
      }
      total = total + own;
    });
    return 0.5f * sum(total);
  }

  template <class Optimizer>
  static void update_own_fields(const Optimizer& optimizer, const PartView& view, float dscore,
                                const Scratch& s) {
    for_own_fields(view, s, [&](int field, Index at, Lanes lanes) {
      const Vec sum = lanes.load(s.field_row[field] + at);
      for (int e = s.first[field]; e >= 0; e = s.next[e]) {
        const Vec x(s.x[e]), w = lanes.load(s.entry[e] + at);
        step(optimizer, s.entry[e] + at, view.shape.width, lanes, w,
             Vec(dscore) * x * (sum - x * w));
      }
    });
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
