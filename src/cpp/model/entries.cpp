#include "model/entries.h"

namespace pyfm {

namespace {

void fill_equal(float value, int count, EntryMemory& memory) {
  if (memory.n_equal >= count && memory.equal[0] == value) return;
  for (int i = 0; i < count; ++i) memory.equal[i] = value;
  memory.n_equal = count;
}

}  // namespace

Entries make_entries(const Row& row, float scale, const EntryFilter& filter, EntryMemory& memory) {
  const int size = static_cast<int>(row.size);
  if (filter.all_known && !row.values) {
    fill_equal(scale, size, memory);
#pragma GCC unroll 4
    for (int i = 0; i < size; ++i) memory.row[i] = filter.row_of[row.features[i]];
    return {memory.row, row.fields, memory.equal, size, true};
  }
  int n = 0;
  for (int i = 0; i < size; ++i) {
    const FieldId f = row.field(i);
    const FeatureId j = row.features[i];
    const float x = row.value(i) * scale;
    const bool known = static_cast<Index>(j) < filter.n_features;
    memory.row[n] = known ? filter.row_of[j] : 0;
    memory.field[n] = f;
    memory.x[n] = x;
    n += known && static_cast<Index>(f) < filter.n_fields && x != 0;
  }
  return {memory.row, memory.field, memory.x, n, row.values == nullptr};
}

}  // namespace pyfm
