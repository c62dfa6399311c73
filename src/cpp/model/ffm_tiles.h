// FFM's pairs of fields, in tiles of B × B fields (B = fields in a vector) transposed in registers.
//
// Tile (I, J) holds all blocks that groups I and J use against each other, and no other tile does:
// each weight and slot is loaded and stored once, and updates may write in place.
#pragma once
#include <algorithm>
#include <array>

#include "model/ffm_columns.h"
#include "model/ffm_fields.h"
#include "model/prefetch.h"

namespace pyfm::PYFM_ISA {
namespace {

// a[q]: blocks of field i + q against the fields of J; b[q]: of field j + q against those of I.
// T: what the rows are made of, the storage's numbers or float32.
template <int B, class T, class ColumnsI, class ColumnsJ>
struct Tile {
  int i, j;  // first fields of I and J, and where their lanes are in s.lane_scale
  Index lanes_i, lanes_j;
  Lanes lanes;
  ColumnsI col_i;  // the blocks against I and J
  ColumnsJ col_j;
  T *rows_i[B], *rows_j[B];
  Vec a[B], b[B];
};

// f(tile, on_diagonal) for every tile with I <= J in which both groups have an entry.
// With one field per vector, tiles on the diagonal hold no pair. `together`: see NextRows.
template <int K, class S, class T, FieldRows kind, int together, class F>
[[gnu::always_inline]] inline void for_tiles(const PartView& view, const Scratch& s, Index begin,
                                             Index end, F&& f) {
  constexpr int B = fields_per_vector<K>;
  const Index block = K ? K : view.shape.block;
  const Index n_groups = s.n_groups;
  const Index n_tiles = n_groups * (B > 1 ? n_groups + 1 : n_groups - 1) / 2;
  NextRows<S, together> next(s, begin, end, std::max<Index>(1, n_tiles));
  const auto tile = [&](int i, int j, auto stand_i, auto stand_j,
                        auto diagonal) __attribute__((always_inline)) {
    next.prefetch();
    for_lanes(B * block, [&](Index at, Lanes lanes) __attribute__((always_inline)) {
      Tile<B, T, decltype(stand_i), decltype(stand_j)> t;
      t.i = i, t.j = j, t.lanes = lanes;
      t.lanes_i = i * block + at, t.lanes_j = j * block + at;
      t.col_i = stand_i.of(s, i, block, at, lanes), t.col_j = stand_j.of(s, j, block, at, lanes);
      const auto row = [&](int f) { return static_cast<T*>(s.field_row[f]); };
      unroll<B>([&](auto q) { t.a[q] = t.col_j.load(t.rows_i[q] = t.col_j.in(row(i + q))); });
      unroll<B>([&](auto q) { t.b[q] = t.col_i.load(t.rows_j[q] = t.col_i.in(row(j + q))); });
      f(t, diagonal);
    });
  };
  const auto first = [&](int m) { return s.group[m] * B; };
  const auto among = [&](int begin, int end, auto stand) __attribute__((always_inline)) {
    for (int m = begin; m < end; ++m) {
      if constexpr (B > 1) tile(first(m), first(m), stand, stand, std::true_type{});
      for (int n = m + 1; n < end; ++n) tile(first(m), first(n), stand, stand, std::false_type{});
    }
  };
  // Groups before the middle with those behind it.
  const auto cross = [&](auto left, int mid, int end, auto right) __attribute__((always_inline)) {
    for (int n = mid; n < end; ++n)
      for (int m = 0; m < mid; ++m) tile(first(m), first(n), left, right, std::false_type{});
  };
  if constexpr (!leaves_out(kind)) {
    among(0, s.n_groups, Together<true>{});
  } else if constexpr (kind == FieldRows::partial) {
    among(0, s.n_groups, Apart<K>{});
  } else {
    constexpr Together<false> whole{};
    constexpr std::conditional_t<B == 4, Halves<K>, Together<false>> halves{};
    const int n_whole = s.n_together, n = n_whole + s.n_halves;
    among(0, n_whole, whole);
    if constexpr (B == 4) {
      cross(whole, n_whole, n, halves);
      among(n_whole, n, halves);
    }
    cross(halves, n, s.n_groups, Apart<K>{});  // whole ones have halves, too
    among(n, s.n_groups, Apart<K>{});
  }
}

// 1 in the lanes of those fields of a vector that come after the q-th; that are not the q-th.
template <int B, class Test>
constexpr std::array<float, Vec::lanes> lanes_where(Test test) {
  std::array<float, Vec::lanes> ones{};
  for (int lane = 0; lane < Vec::lanes; ++lane) ones[lane] = test(lane * B / Vec::lanes);
  return ones;
}
template <int B, int q>
inline constexpr auto after = lanes_where<B>([](int field) { return field > q; });
template <int B, int q>
inline constexpr auto other = lanes_where<B>([](int field) { return field != q; });

// What stands for a field is a row of the table, or in rows of several entries float32.
template <class S, FieldRows kind>
using FieldNumber = std::conditional_t<kind == FieldRows::several, float, S>;

// Σ over pairs of different fields. Plain rows: without the (equal) values.
template <int K, class S, FieldRows kind>
inline float pairs(PartView view, Scratch s) {
  constexpr int B = fields_per_vector<K>;
  using T = FieldNumber<S, kind>;
  Vec total[B];
  unroll<B>([&](auto q) { total[q] = Vec(0.0f); });
  const auto add = [&](auto& t, auto diagonal) __attribute__((always_inline)) {
    if constexpr (B > 1) transpose_groups<K>(t.b);
    Vec scale_j(1.0f);
    if constexpr (!equal_values(kind)) scale_j = t.lanes.load(s.lane_scale + t.lanes_j);
    unroll<B>([&](auto q) __attribute__((always_inline)) {
      if constexpr (!equal_values(kind)) t.a[q] = t.a[q] * (Vec(s.scale[t.i + q]) * scale_j);
      if constexpr (diagonal) t.a[q] = t.a[q] * Vec::load(after<B, q>.data());
      total[q] = fma(t.a[q], t.b[q], total[q]);
    });
  };
  for_tiles<K, S, T, kind, 1>(view, s, 0, fetched_by_score<S>(view, s), add);
  unroll<B - 1>([&](auto q) { total[0] = total[0] + total[q + 1]; });
  return sum(total[0]);
}

// One step on the block that a field with one entry uses against others: its weights `w` are in a
// register already. `scale`: of the lanes, 0 where a field is absent, if `masked`. Where none is,
// padding, lanes or rows, is stepped like the rest and stays zero, since its gradient is.
template <int B, int q, bool Diagonal, bool masked, class Optimizer, class Columns, class S>
[[gnu::always_inline]] inline void step_single(const Optimizer& optimizer, Index width,
                                               const Columns& columns, S* row, Vec w, Vec g,
                                               Vec scale, Rounding<S>& rounding) {
  if constexpr (Diagonal) {
    const Vec others = Vec::load(other<B, q>.data());
    step_masked(optimizer, row, width, columns, nonzero(masked ? scale * others : others), w, g,
                rounding);
  } else if constexpr (masked) {
    step_masked(optimizer, row, width, columns, nonzero(scale), w, g, rounding);
  } else {
    step(optimizer, row, width, columns, w, g, rounding);
  }
}

// For a field that a sum stands for: the gradient takes the place of the sum's block, which no
// other tile needs, and waits there for step_sums.
template <int B, int q, bool Diagonal>
[[gnu::always_inline]] inline void keep_gradient(Lanes lanes, float* sum, Vec old, Vec g) {
  if constexpr (Diagonal) g = select(nonzero(Vec::load(other<B, q>.data())), g, old);
  lanes.store(g, sum);
}

// The steps of a tile. ta, tb: t.a and t.b transposed.
template <int B, bool Diagonal, FieldRows kind, class S, class Optimizer, class AnyTile>
[[gnu::always_inline]] inline void step_tile(const Optimizer& optimizer, Index width,
                                             const Scratch& s, const AnyTile& t, Vec k,
                                             const Vec (&ta)[B], const Vec (&tb)[B],
                                             Rounding<S>& rounding) {
  Vec scale_i(1.0f), scale_j(1.0f), k_i = k, k_j = k;
  if constexpr (kind != FieldRows::plain) {
    scale_i = t.lanes.load(s.lane_scale + t.lanes_i);
    scale_j = t.lanes.load(s.lane_scale + t.lanes_j);
    if constexpr (!equal_values(kind)) k_i = k * scale_i, k_j = k * scale_j;
  }
  // The block at `row` of a field in the group `own`, against the fields in the group `against`.
  const auto learn = [&](auto q, auto diagonal, int field, auto* row, const auto& own,
                         const auto& against, Vec w, Vec kx, Vec other_row,
                         Vec scale) __attribute__((always_inline)) {
    constexpr bool masked = B > 1 && (kind == FieldRows::several || !against.whole);
    Vec g = kx * other_row;
    // A row that only fills a vector stays zero.
    if constexpr (!equal_values(kind) || !own.whole) g = kx * Vec(s.scale[field]) * other_row;
    if constexpr (kind == FieldRows::several)
      if (s.sum_stands_for[field]) return keep_gradient<B, q, diagonal>(t.lanes, row, w, g);
    if constexpr (std::is_same_v<S*, decltype(row)>)
      step_single<B, q, diagonal, masked>(optimizer, width, against, row, w, g, scale, rounding);
  };
  unroll<B>([&](auto q) __attribute__((always_inline)) {
    learn(q, std::bool_constant<Diagonal>{}, t.i + q, t.rows_i[q], t.col_i, t.col_j, t.a[q], k_j,
          tb[q], scale_j);
    if constexpr (!Diagonal)
      learn(q, std::false_type{}, t.j + q, t.rows_j[q], t.col_j, t.col_i, t.b[q], k_i, ta[q],
            scale_i);
  });
}

// The steps of the entries of fields that a sum stands for, on all blocks but that of their own
// field.
template <class S, class Optimizer>
inline void step_sums(const Optimizer& optimizer, const PartView& view, const Scratch& s,
                      Rounding<S>& rounding) {
  const Index width = view.shape.width, block = view.shape.block;
  for (int field = 0; field < view.shape.n_fields; ++field) {
    if (!s.sum_stands_for[field]) continue;
    float* const own = s.lane_scale + field * block;
    std::fill_n(own, block, 0.0f);
    for (int e = s.first[field]; e >= 0; e = s.next_entry[e])
      for (Index at = 0; at < width; at += Vec::lanes) {
        S* row = static_cast<S*>(s.row.at[e]) + at;
        const Vec g = Vec(s.row.x[e]) * Vec::load(s.sums + field * width + at);
        const Vec::Mask present = nonzero(Vec::load(s.lane_scale + at));
        step_masked(optimizer, row, width, Lanes{Vec::lanes}, present, Vec::load(row), g, rounding);
      }
    std::fill_n(own, block, 1.0f);
  }
}

template <int K, class S, FieldRows kind, class Optimizer>
inline void update_pairs(Optimizer optimizer, PartView view, float dscore, Scratch s) {
  constexpr int B = fields_per_vector<K>;
  using T = FieldNumber<S, kind>;
  const Vec k(dscore);
  const Index width = view.shape.width;
  Rounding<S> rounding(s.noise);
  const auto learn = [&](auto& t, auto diagonal) __attribute__((always_inline)) {
    Vec ta[B], tb[B];
    unroll<B>([&](auto q) { ta[q] = t.a[q], tb[q] = t.b[q]; });
    if constexpr (B > 1) transpose_groups<K>(ta), transpose_groups<K>(tb);
    step_tile<B, diagonal, kind, S>(optimizer, width, s, t, k, ta, tb, rounding);
  };
  for_tiles<K, S, T, kind, B == 4 ? 2 : 1>(view, s, fetched_by_score<S>(view, s), view.shape.stride,
                                           learn);
  if constexpr (kind == FieldRows::several) step_sums<S>(optimizer, view, s, rounding);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
