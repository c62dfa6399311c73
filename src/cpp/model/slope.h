// |d score / d weights|² of the row that was scored last, over the weights of one part: what the
// norm of its gradient is clipped by. Entries of one feature count each by itself. Include it after
// the Vec of the level.
#pragma once
#include "model/ffm_fields.h"

namespace pyfm::PYFM_ISA {
namespace {

// Of the bias and Σ_j x_j w_j.
inline float linear_squared_slope(const PartView&, const Scratch& s) noexcept {
  float total = 1;
  for (int e = 0; e < s.row.size; ++e) total += s.row.x[e] * s.row.x[e];
  return total;
}

// Σ x² |S - x W|² over entries that interact through S, at `row` + at(e) and with S at `sum`.
template <class S>
inline Vec squared_slope_of(const Scratch& s, int e, const float* sum, Index at, int block) {
  const S* const row = static_cast<const S*>(s.row.at[e]) + at;
  const Vec x(s.row.x[e]);
  Vec total(0.0f);
  for_lanes(block, [&](Index d, Lanes lanes) {
    const Vec g = x * (lanes.load(sum + d) - x * lanes.load(row + d));
    total = fma(g, g, total);
  });
  return total;
}

template <class S>
inline float fm_squared_slope(const PartView& view, const Scratch& s) noexcept {
  Vec total(0.0f);
  for (int e = 0; e < s.row.size; ++e)
    total = total + squared_slope_of<S>(s, e, s.sum, 0, view.shape.block);
  return sum(total);
}

// Σ over fields f and g ≠ f of (Σ_{j in f} x_j²) |S[g][f]|². T: what the rows are made of.
template <class T>
inline Vec ffm_squared_slope_of_pairs(const PartView& view, const Scratch& s) {
  const bool several = s.kind == FieldRows::several;
  const auto absent = [&](int f) { return !leaves_out(s.kind) && !in_order(s) && s.first[f] < 0; };
  const auto scale = [&](int f) { return equal_values(s.kind) ? s.row.x[0] : s.scale[f]; };
  const int block = view.shape.block;
  Vec total(0.0f);
  for (int f = 0; f < s.n_listed; ++f) {
    if (absent(f)) continue;
    float squares = several ? 0 : scale(f) * scale(f);
    for (int e = several ? s.first[f] : -1; e >= 0; e = s.next_entry[e])
      squares += s.row.x[e] * s.row.x[e];
    const Index column = leaves_out(s.kind) ? s.column[f] : Index{f} * block;
    for (int g = 0; g < s.n_listed && squares > 0; ++g) {
      if (g == f || absent(g)) continue;
      const T* const against = static_cast<const T*>(s.field_row[g]) + column;
      for_lanes(block, [&](Index d, Lanes lanes) {
        const Vec sum = lanes.load(against + d);
        total = fma(Vec(squares * scale(g) * scale(g)) * sum, sum, total);
      });
    }
  }
  return total;
}

template <class S>
inline float ffm_squared_slope(const PartView& view, const Scratch& s) noexcept {
  if (s.kind != FieldRows::several) return sum(ffm_squared_slope_of_pairs<S>(view, s));
  Vec total = ffm_squared_slope_of_pairs<float>(view, s);
  for (int f = 0; f < view.shape.n_fields; ++f) {
    if (s.first[f] < 0 || s.next_entry[s.first[f]] < 0) continue;
    const Index at = Index{f} * view.shape.block;
    for (int e = s.first[f]; e >= 0; e = s.next_entry[e])
      total = total +
              squared_slope_of<S>(s, e, s.sums + f * view.shape.width + at, at, view.shape.block);
  }
  return sum(total);
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
