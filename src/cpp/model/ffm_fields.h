// FFM's view of a row by field: which table row stands for each field, and how strongly.
#pragma once
#include <algorithm>

#include "model/ffm_runs.h"
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
}

// Whether entry i is that of listed field i: then there is no other list of entries by field.
inline bool in_order(const Scratch& s) {
  return s.field_row == s.row.at;
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

// What tiles read of a listed field's value.
template <int K>
inline void list_scale(const PartView& view, int field, float x, Scratch& s) {
  const int block = K ? K : view.shape.block;
  s.scale[field] = x;
  for (int d = 0; d < block; ++d) s.lane_scale[field * block + d] = x;
}

inline bool in_order_of_fields(const Entries& row) {
  if (!row.field) return true;
  bool ascend = true;
  for (int e = 1; e < row.size; ++e) ascend &= row.field[e - 1] < row.field[e];
  return ascend;
}

// Rows with one entry for each field, in field order: fields are listed as their entries are.
template <int K>
inline void by_entry(const PartView& view, Scratch& s) {
  constexpr int B = fields_per_vector<K>;
  const int n = s.n_listed = s.row.size;
  s.kind = s.row.equal ? FieldRows::plain : FieldRows::full;
  s.n_groups = (n + B - 1) / B;
  for (int m = 0; m < s.n_groups; ++m) s.group[m] = m;
  s.field_row = s.row.at;
  for (int f = n; f % B != 0; ++f) s.field_row[f] = s.padding;
  if (s.kind == FieldRows::plain) return;
  for (int f = 0; f < n; ++f) list_scale<K>(view, f, s.row.x[f], s);
  for (int f = n; f % B != 0; ++f) list_scale<K>(view, f, 0, s);
}

// Rows that leave fields out: those of n entries are listed, of which entry(m) is the m-th field's.
// What fills up the last vector has the column of a field that is absent, so that nothing is there
// to be changed.
template <int K, class Entry>
inline void by_present(const PartView& view, int n, Scratch& s, const Entry& entry) {
  constexpr int B = fields_per_vector<K>;
  const Index block = K ? K : view.shape.block;
  const Entries row = s.row;
  void** const row_of_field = s.row_of_field;
  int* const entry_of_field = s.entry;
  Index* const column = s.column;
  const auto field = [&](int m) __attribute__((always_inline)) {
    return row.field ? int{row.field[entry(m)]} : entry(m);
  };
  const RunSizes sizes = find_all_runs<B>(n, s.runs, field);
  list_runs_first(n, sizes, s.runs, field, [&](int m, int at) __attribute__((always_inline)) {
    row_of_field[at] = row.at[entry(m)];
    entry_of_field[at] = entry(m);
    column[at] = field(m) * block;
    if (!row.equal) list_scale<K>(view, at, row.x[entry(m)], s);
  });
  if (row.equal) {
    std::fill_n(s.scale, n, 1.0f);
    std::fill_n(s.lane_scale, n * block, 1.0f);
  }
  for (int at = n; at % B != 0; ++at) {
    row_of_field[at] = s.padding;
    column[at] = sizes.absent * block;
    list_scale<K>(view, at, 0, s);
  }
  s.kind = row.equal ? FieldRows::plain_partial : FieldRows::partial;
  s.field_row = row_of_field;
  s.n_listed = n;
  s.n_groups = (n + B - 1) / B;
  s.n_together = sizes.in_whole / B;
  s.n_halves = sizes.in_half / B;
  for (int m = 0; m < s.n_groups; ++m) s.group[m] = m;
}

// Whether some field has several entries.
inline bool has_several(int n_fields, const Scratch& s) {
  bool several = false;
  for (int f = 0; f < n_fields; ++f) several |= s.first[f] >= 0 && s.next_entry[s.first[f]] >= 0;
  return several;
}

// A field with one entry is its own row, scaled later. In a row that has several entries in some
// field, 16-bit rows are all expanded, so that tiles of float32 are all that such rows need.
//
// Absent fields are left out if vectors hold several fields and no field has several entries. Tiles
// are then of those that are present.
template <int K, class S>
inline void by_field(const PartView& view, Scratch& s) {
  constexpr int B = fields_per_vector<K>;
  const int n_fields = view.shape.n_fields;
  const bool all = s.row.size == n_fields;
  constexpr bool leaves_out = B > 1;
  const bool leave_out = leaves_out && !all && s.row.size > 0;
  if ((all || leave_out) && in_order_of_fields(s.row)) {
    if (all) return by_entry<K>(view, s);
    if constexpr (leaves_out)
      return by_present<K>(view, s.row.size, s,
                           [](int m) __attribute__((always_inline)) { return m; });
  }
  const auto padded = [](int n) { return (n + B - 1) / B * B; };
  link_fields(padded(n_fields), s);
  const bool several = has_several(n_fields, s);
  if constexpr (leaves_out) {
    if (leave_out && !several) {
      int n = 0;
      for (int f = 0; f < n_fields; ++f)
        if (s.first[f] >= 0) s.first[n++] = s.first[f];
      return by_present<K>(view, n, s, [first = s.first](int m) { return first[m]; });
    }
  }
  s.n_listed = n_fields;
  const bool whole = all || (B == 1 && s.row.size > 0);
  s.kind = several ? FieldRows::several : s.row.equal && whole ? FieldRows::plain : FieldRows::full;
  list_groups(padded(s.n_listed), B, s);
  void* const absent = several && !std::is_same_v<S, float> ? s.absent : s.padding;
  s.field_row = s.row_of_field;
  for (int f = 0; f < padded(s.n_listed); ++f) {
    const int e = s.first[f];
    s.sum_stands_for[f] = several && e >= 0 && (!std::is_same_v<S, float> || s.next_entry[e] >= 0);
    if (s.sum_stands_for[f])
      sum_field<S>(view, f, s);
    else
      s.field_row[f] = e < 0 ? absent : s.row.at[e];
    list_scale<K>(view, f, s.sum_stands_for[f] ? 1 : e < 0 ? 0 : s.row.x[e], s);
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
