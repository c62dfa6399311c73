// FFM's view of a row by field: which table row stands for each field, and how strongly.
#pragma once
#include <algorithm>

#include "model/lanes.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

// Fields that share one vector: with blocks of K floats a vector of `lanes` holds lanes / K.
template <int K>
inline constexpr int fields_per_vector = K != 0 && K < Vec::lanes ? Vec::lanes / K : 1;

// S[f] = Σ x W over the entries of field f, in float32.
template <class S>
inline void sum_field(const PartView& view, int field, Scratch& s) {
  float* sum = s.sums + field * view.shape.width;
  const int first = s.first[field];
  for (int e = first; e >= 0; e = s.next_entry[e]) {
    const S* row = static_cast<const S*>(s.row.at[e]);
    for_lanes(view.shape.width, [&](Index at, Lanes lanes) {
      const Vec before = e == first ? Vec(0.0f) : lanes.load(sum + at);
      lanes.store(fma(Vec(s.row.x[e]), lanes.load(row + at), before), sum + at);
    });
  }
  s.field_row[field] = sum;
  s.scale[field] = 1;
}

// Rows of the next example that are to be fetched: not those of features so frequent (rows are in
// the order of frequency) that the cache holds them anyway.
inline void list_rows_to_fetch(const PartView& view, Scratch& s) {
  constexpr Index kCached = Index{1} << 18;  // bytes
  const Index held = std::max<Index>(view.n_hot, kCached / view.shape.row_bytes());
  s.n_fetch = 0;
  for (int e = 0; e < s.next.size; ++e) {
    s.fetch[s.n_fetch] = s.next.at[e];
    s.n_fetch += s.next.row[e] >= held;
  }
}

// Lists the entries of each field, in row order.
inline void link_fields(int n_fields, Scratch& s) {
  for (int f = 0; f < n_fields; ++f) s.first[f] = -1;
  for (int e = s.row.size; e-- > 0;) {
    const int f = s.row.field ? s.row.field[e] : e;
    s.next_entry[e] = s.first[f];
    s.first[f] = e;
  }
}

// Groups of fields that share a vector and have an entry.
inline void list_groups(int n_fields, int fields_per_group, Scratch& s) {
  s.n_groups = 0;
  for (int f = 0; f < n_fields; ++f)
    if (s.first[f] >= 0 && (s.n_groups == 0 || s.group[s.n_groups - 1] != f / fields_per_group))
      s.group[s.n_groups++] = f / fields_per_group;
}

// The usual row: one entry for each field, in field order, and all values equal.
template <int K, class S>
inline void plain_by_field(const PartView& view, Scratch& s) {
  constexpr int B = fields_per_vector<K>;
  const int n_fields = view.shape.n_fields;
  s.field_row = s.row.at;
  for (int f = n_fields; f % B != 0; ++f) s.field_row[f] = s.padding;
  s.n_groups = (n_fields + B - 1) / B;
  for (int m = 0; m < s.n_groups; ++m) s.group[m] = m;
  s.kind = FieldRows::plain;
}

// Looks which fields have entries, and how many.
inline FieldRows kind_of(int n_fields, const Scratch& s) {
  bool missing = false, several = false;
  for (int f = 0; f < n_fields; ++f) {
    missing |= s.first[f] < 0;
    several |= s.first[f] >= 0 && s.next_entry[s.first[f]] >= 0;
  }
  if (several) return FieldRows::several;
  if (missing) return FieldRows::partial;
  return s.row.equal ? FieldRows::plain : FieldRows::full;
}

// A field with one entry is its own row, scaled later. In a row that has several entries in some
// field, 16-bit rows are all expanded, so that tiles of float32 are all that such rows need.
template <int K, class S>
inline void by_field(const PartView& view, Scratch& s) {
  if (!s.row.field && s.row.equal && s.row.size == view.shape.n_fields)
    return plain_by_field<K, S>(view, s);
  constexpr int B = fields_per_vector<K>;
  const int n_fields = view.shape.n_fields, block = view.shape.block;
  const int padded = (n_fields + B - 1) / B * B;
  link_fields(padded, s);
  list_groups(n_fields, B, s);
  s.kind = kind_of(n_fields, s);
  const bool several = s.kind == FieldRows::several;
  void* const absent = several && !std::is_same_v<S, float> ? s.absent : s.padding;
  s.field_row = s.row_of_field;
  for (int f = 0; f < padded; ++f) {
    const int e = s.first[f];
    s.sum_stands_for[f] = several && e >= 0 && (!std::is_same_v<S, float> || s.next_entry[e] >= 0);
    if (s.sum_stands_for[f]) {
      sum_field<S>(view, f, s);
    } else {
      s.field_row[f] = e < 0 ? absent : s.row.at[e];
      s.scale[f] = e < 0 ? 0 : s.row.x[e];
    }
  }
  if (s.kind == FieldRows::plain) return;
  for (int f = 0; f < padded; ++f)
    for (int d = 0; d < block; ++d) s.lane_scale[f * block + d] = s.scale[f];
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
