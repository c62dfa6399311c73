// FFM's gradient of an example, added up over a batch before any weight moves.
//
//   d score / d W[j][g] = x_j S[g][f],   for g = f: x_j (S[f][f] - x_j W[j][f])
//
// Columns of the gradient may be computed apart, by different threads: those of group J, of all
// entries of the example, are made of the rows of the fields in J and of nothing else, and every
// number is a sum over examples in their order, whoever adds.
#pragma once
#include "base/fetch.h"
#include "model/batch.h"
#include "model/ffm_tiles.h"
#include "model/prefetch.h"

namespace pyfm::PYFM_ISA {
namespace {

inline void list_gradients(int n_fields, float* const* of_entry, const Scratch& s) {
  for (int f = 0; f < n_fields; ++f) {
    const int e = in_order(s) ? (f < s.row.size ? f : -1) : s.first[f];
    s.field_gradient[f] = e < 0 ? s.no_gradient : of_entry[e];
  }
}

// Gradients of the next example's entries that are to be fetched (compare list_rows_to_fetch).
inline RowId list_gradients_to_fetch(const PartView& view, const ExampleColumns& c, Scratch& s) {
  const auto held = static_cast<RowId>(n_cached_rows(view, view.shape.stride));
  list_to_fetch(held, [&](int e) { return c.next_gradient[e]; }, s);
  return held;
}

// Memory of the next example, a little with every group, so that requests never queue up: weights
// of the entries in the fields of group J, and column J of the gradients of all entries.
template <class S>
[[gnu::always_inline]] inline void fetch_columns(const PartView& view, const Scratch& s, RowId held,
                                                 int first, int count, bool starts) {
  constexpr Index line = 16;
  const Index block = view.shape.block, width = view.shape.width;
  for (int e = first; e < first + count && e < s.next.size; ++e)
    if (s.next.row[e] >= held) prefetch(static_cast<const S*>(s.next.at[e]), width);
  const Index begin = first * block, end = std::min((first + count) * block, width);
  for (Index at = starts ? begin : (begin + line - 1) / line * line; at < end; at += line)
    for (int i = 0; i < s.n_fetch; ++i) fetch_to_write(static_cast<const float*>(s.fetch[i]) + at);
}

// Adds to columns of all pairs of different fields.
template <int K, class S, FieldRows kind>
inline void add_pairs(PartView view, ExampleColumns c, Scratch s, RowId held) {
  constexpr int B = fields_per_vector<K>;
  using T = FieldNumber<S, kind>;
  const Index block = K ? K : view.shape.block;
  list_gradients((view.shape.n_fields + B - 1) / B * B, c.gradient, s);
  if constexpr (kind == FieldRows::plain) c.dscore *= s.row.x[0] * s.row.x[0];
  const auto add = [](Vec g, Lanes lanes, float* to)
                       __attribute__((always_inline)) { lanes.store(lanes.load(to) + g, to); };
  const auto tile = [&](int i, int j, auto diagonal) __attribute__((always_inline)) {
    for_lanes(B * block, [&](Index at, Lanes lanes) __attribute__((always_inline)) {
      const Index at_i = i * block + at, at_j = j * block + at;
      Vec t[B], k(c.dscore);
      unroll<B>([&](auto q) { t[q] = lanes.load(static_cast<T*>(s.field_row[j + q]) + at_i); });
      if constexpr (B > 1) transpose_groups<K>(t);
      if constexpr (kind != FieldRows::plain) k = k * lanes.load(s.lane_scale + at_j);
      unroll<B>([&](auto q) __attribute__((always_inline)) {
        Vec g = k * t[q];
        if constexpr (diagonal) g = g * Vec::load(other<B, q>.data());
        if constexpr (kind == FieldRows::several) {
          for (int e = s.first[i + q]; e >= 0; e = s.next_entry[e])
            add(Vec(s.row.x[e]) * g, lanes, c.gradient[e] + at_j);
        } else {
          if constexpr (kind != FieldRows::plain) g = Vec(s.scale[i + q]) * g;
          add(g, lanes, s.field_gradient[i + q] + at_j);
        }
      });
    });
  };
  for (int n = 0; n < s.n_groups; ++n) {
    const int J = s.group[n];
    if (J < c.begin || J >= c.end) continue;
    fetch_columns<S>(view, s, held, J * B, B, J == c.begin);
    for (int m = 0; m < s.n_groups; ++m) {
      const int I = s.group[m];
      if (I != J)
        tile(I * B, J * B, std::false_type{});
      else if constexpr (B > 1)
        tile(I * B, J * B, std::true_type{});
    }
  }
}

// Pairs within a field, for fields with several entries.
template <int K, class S>
inline void add_own_fields(const PartView& view, const ExampleColumns& c, const Scratch& s) {
  constexpr int B = fields_per_vector<K>;
  const Index block = view.shape.block, width = view.shape.width;
  for (int f = c.begin * B; f < std::min(c.end * B, view.shape.n_fields); ++f) {
    if (s.first[f] < 0 || s.next_entry[s.first[f]] < 0) continue;
    for (int e = s.first[f]; e >= 0; e = s.next_entry[e])
      for_lanes(block, [&](Index lane, Lanes lanes) {
        const Index at = f * block + lane;
        const Vec x(s.row.x[e]), w = lanes.load(static_cast<const S*>(s.row.at[e]) + at);
        const Vec g = Vec(c.dscore) * x * (lanes.load(s.sums + f * width + at) - x * w);
        lanes.store(lanes.load(c.gradient[e] + at) + g, c.gradient[e] + at);
      });
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
