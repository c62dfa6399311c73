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
    return {row.features, row.fields, memory.equal, size, true};
  }
  int n = 0;
  for (int i = 0; i < size; ++i) {
    const FieldId f = row.field(i);
    const float x = row.value(i) * scale;
    memory.feature[n] = row.features[i];
    memory.field[n] = f;
    memory.x[n] = x;
    n += static_cast<Index>(row.features[i]) < filter.n_features &&
         static_cast<Index>(f) < filter.n_fields && x != 0;
  }
  return {memory.feature, memory.field, memory.x, n, row.values == nullptr};
}

}  // namespace pyfm
