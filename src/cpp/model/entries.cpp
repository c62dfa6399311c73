#include "model/entries.h"

#include "model/row_map.h"

namespace pyfm {

namespace {

void fill_equal(float value, int count, EntryMemory& memory) {
  if (memory.n_equal >= count && memory.equal[0] == value) return;
  for (int i = 0; i < count; ++i) memory.equal[i] = value;
  memory.n_equal = count;
}

}  // namespace

void make_entries(const Row& row, float scale, const EntryFilter& filter, EntryMemory& memory,
                  Entries& to) {
  const int size = static_cast<int>(row.size);
  if (filter.all_known && !row.values && !filter.column_of) {
    fill_equal(scale, size, memory);
    bool have_rows = true;
    const RowId* rows = memory.row;
    if (!filter.row_of) {
      rows = row.features;
      for (int i = 0; filter.some_counted && i < size; ++i) have_rows &= rows[i] != 0;
    } else if (!filter.some_counted) {
#pragma GCC unroll 4
      for (int i = 0; i < size; ++i) memory.row[i] = filter.row_of[row.features[i]];
    } else {
      for (int i = 0; i < size; ++i) {
        memory.row[i] = RowMap::number(filter.row_of[row.features[i]]);
        have_rows &= memory.row[i] != 0;
      }
    }
    if (have_rows || !filter.with_rows) {
      to = {rows, row.fields, memory.equal, size, size, true};
      return;
    }
  }
  int n = 0;
  bool equal = true;
  const auto add = [&](int i, FieldId f, bool in_range) __attribute__((always_inline)) {
    const FeatureId j = row.features[i];
    const float x = row.value(i) * scale;
    const bool known = static_cast<Index>(j) < filter.n_features;
    memory.row[n] = !known ? 0 : filter.row_of ? RowMap::number(filter.row_of[j]) : RowId{j};
    memory.field[n] = f;
    memory.x[n] = x;
    const bool kept = known && in_range && x != 0 && (memory.row[n] != 0 || !filter.with_rows);
    // Of the row, and not of the data set: rows are learned alike in any company.
    equal &= !kept || x == memory.x[0];
    n += kept;
  };
  const auto in_range = [&](FieldId f) { return static_cast<Index>(f) < filter.n_fields; };
  if (!filter.column_of) {
    for (int i = 0; i < size; ++i) add(i, row.field(i), in_range(row.field(i)));
    to = {memory.row, memory.field, memory.x, n, n, equal};
    return;
  }
  for (int i = 0; i < size; ++i)
    if (const FieldId f = row.field(i); in_range(f) && filter.column_of[f] >= 0)
      add(i, static_cast<FieldId>(filter.column_of[f]), true);
  const int n_deep = n;
  for (int i = 0; i < size; ++i)
    if (const FieldId f = row.field(i); in_range(f) && filter.column_of[f] < 0) add(i, f, true);
  to = {memory.row, memory.field, memory.x, n, n_deep, equal};
}

}  // namespace pyfm
