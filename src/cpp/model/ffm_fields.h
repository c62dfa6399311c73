// FFM's view of a row by field: which table row stands for each field, and how strongly.
#pragma once
#include "model/gather.h"

namespace pyfm::PYFM_ISA {
namespace {

// Fields that share one vector: with blocks of K floats a vector of `lanes` holds lanes / K.
template <int K>
inline constexpr int fields_per_vector = K != 0 && K < Vec::lanes ? Vec::lanes / K : 1;

// S[f] = Σ x W over the entries of field f. A field with one entry is its own row, scaled later.
inline void sum_field(const PartView& view, int field, Scratch& s) {
  float* sum = s.sums + field * view.shape.width;
  for (int e = s.first[field]; e >= 0; e = s.next[e])
    for_lanes(view.shape.width, [&](Index at, Lanes lanes) {
      const Vec before = e == s.first[field] ? Vec(0.0f) : lanes.load(sum + at);
      lanes.store(fma(Vec(s.x[e]), lanes.load(s.entry[e] + at), before), sum + at);
    });
  s.field_row[field] = sum;
  s.scale[field] = 1;
}

// Lists the entries of each field, in row order.
inline void link_fields(int n_fields, Scratch& s) {
  for (int f = 0; f < n_fields; ++f) s.first[f] = -1;
  for (int e = s.n_entries; e-- > 0;) {
    s.next[e] = s.first[s.field[e]];
    s.first[s.field[e]] = e;
  }
}

template <int K>
inline void by_field(const PartView& view, bool equal_values, Scratch& s) {
  constexpr int B = fields_per_vector<K>;
  const int n_fields = view.shape.n_fields, block = view.shape.block;
  const int padded = (n_fields + B - 1) / B * B;
  link_fields(padded, s);

  s.plain = equal_values && s.n_entries == n_fields;
  s.n_groups = 0;
  for (int f = 0; f < padded; ++f) {
    const int e = s.first[f];
    if (e < 0) {
      s.field_row[f] = s.zeros;
      s.scale[f] = 0;
      if (f < n_fields) s.plain = false;
      continue;
    }
    if (s.n_groups == 0 || s.group[s.n_groups - 1] != f / B) s.group[s.n_groups++] = f / B;
    s.field_row[f] = s.entry[e];
    s.scale[f] = s.x[e];
  }
  if (s.plain) return;
  for (int f = 0; f < n_fields; ++f)
    if (s.first[f] >= 0 && s.next[s.first[f]] >= 0) sum_field(view, f, s);
  for (int f = 0; f < padded; ++f)
    for (int d = 0; d < block; ++d) s.lane_scale[f * block + d] = s.scale[f];
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
