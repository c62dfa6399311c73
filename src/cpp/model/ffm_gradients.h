// FFM's gradient of an example, added up over a batch before any weight moves.
//
//   d score / d W[j][g] = x_j S[g][f],   for g = f: x_j (S[f][f] - x_j W[j][f])
//
// In the tiles of the score, each of which transposed is what the others' rows move by.
#pragma once
#include "model/batch.h"
#include "model/ffm_tiles.h"

namespace pyfm::PYFM_ISA {
namespace {

// Of the first entry of each listed field, and what takes the place of a field without one.
inline void list_gradients(int n_listed, float* const* of_entry, const Scratch& s) {
  const int* const first = leaves_out(s.kind) ? s.entry : s.first;
  const int n = leaves_out(s.kind) || in_order(s) ? s.n_listed : n_listed;
  for (int f = 0; f < n_listed; ++f) {
    const int e = f >= n ? -1 : in_order(s) ? f : first[f];
    s.field_gradient[f] = e < 0 ? s.no_gradient : of_entry[e];
  }
}

// Adds to the columns of all pairs of different fields.
template <int K, class S, FieldRows kind>
inline void add_pairs(PartView view, float dscore, float* const* of_entry, Scratch s) {
  constexpr int B = fields_per_vector<K>;
  using T = FieldNumber<S, kind>;
  list_gradients((s.n_listed + B - 1) / B * B, of_entry, s);
  const Vec k(dscore);
  const auto add = [&](auto& t, auto diagonal) __attribute__((always_inline)) {
    Vec ta[B], tb[B], k_i = k, k_j = k;
    unroll<B>([&](auto q) { ta[q] = t.a[q], tb[q] = t.b[q]; });
    if constexpr (B > 1) transpose_groups<K>(ta), transpose_groups<K>(tb);
    if constexpr (!equal_values(kind)) {
      k_i = k * t.lanes.load(s.lane_scale + t.lanes_i);
      k_j = k * t.lanes.load(s.lane_scale + t.lanes_j);
    }
    // The block of a listed field against the fields in the group `against`.
    const auto learn = [&](auto q, auto diagonal, int field, const auto& own, const auto& against,
                           Vec kx, Vec other_row) __attribute__((always_inline)) {
      const auto add_to = [&](float* gradient, Vec g) __attribute__((always_inline)) {
        float* const to = against.in(gradient);
        against.store(against.load(to) + g, to, nearest<float>());
      };
      Vec g = kx * other_row;
      if constexpr (diagonal) g = g * Vec::load(other<B, q>.data());
      if constexpr (kind == FieldRows::several) {
        for (int e = s.first[field]; e >= 0; e = s.next_entry[e])
          add_to(of_entry[e], Vec(s.row.x[e]) * g);
      } else {
        if constexpr (!equal_values(kind) || !own.whole) g = Vec(s.scale[field]) * g;
        add_to(s.field_gradient[field], g);
      }
    };
    unroll<B>([&](auto q) __attribute__((always_inline)) {
      learn(q, diagonal, t.i + q, t.col_i, t.col_j, k_j, tb[q]);
      if constexpr (!diagonal) learn(q, std::false_type{}, t.j + q, t.col_j, t.col_i, k_i, ta[q]);
    });
  };
  for_tiles<K, S, T, kind, 1>(view, s, fetched_by_score<S>(view, s), view.shape.stride, add);
}

// Pairs within a field, for fields with several entries.
template <class S>
inline void add_own_fields(const PartView& view, float dscore, float* const* of_entry,
                           const Scratch& s) {
  const Index block = view.shape.block, width = view.shape.width;
  for (int f = 0; f < view.shape.n_fields; ++f) {
    if (s.first[f] < 0 || s.next_entry[s.first[f]] < 0) continue;
    for (int e = s.first[f]; e >= 0; e = s.next_entry[e])
      for_lanes(block, [&](Index lane, Lanes lanes) {
        const Index at = f * block + lane;
        const Vec x(s.row.x[e]), w = lanes.load(static_cast<const S*>(s.row.at[e]) + at);
        const Vec g = Vec(dscore) * x * (lanes.load(s.sums + f * width + at) - x * w);
        lanes.store(lanes.load(of_entry[e] + at) + g, of_entry[e] + at);
      });
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
