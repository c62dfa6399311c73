// A row as the kernels take it: table rows instead of features, values scaled, no zeros.
#pragma once
#include <cstdint>

#include "base/types.h"
#include "data/row.h"
#include "model/scratch.h"

namespace pyfm {

struct EntryFilter {
  const RowId* row_of;  // (n_features,) for RowMap::number; null: features are such numbers already
  Index n_features;
  Index n_fields;
  bool all_known;  // the data set is known to have no other features and fields
  // Some features were counted and have no row; where `with_rows`, they are left out, since row 0
  // must not learn.
  bool some_counted;
  bool with_rows;
  // (n_fields,) places of the fields in a network's input, -1 of those that only linear terms see.
  // Null: all are seen by all.
  const std::int32_t* column_of;
};

// Multiplies values by `scale`; leaves out unknown features and fields, and stored zeros.
// Fields and values live in the row itself where they may, else, like the rows, in `memory`.
// Where there are columns, they stand for the fields, and entries without one come last.
// Written to where they are used: to copy what was just stored in pieces makes the processor wait.
void make_entries(const Row& row, float scale, const EntryFilter& filter, EntryMemory& memory,
                  Entries& to);

}  // namespace pyfm
