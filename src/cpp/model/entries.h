// A row as the kernels take it: only entries that the model knows, values scaled, no zeros.
#pragma once
#include "base/types.h"
#include "data/row.h"
#include "model/scratch.h"

namespace pyfm {

struct EntryFilter {
  Index n_features;
  Index n_fields;
  bool all_known;  // the data set is known to have no other features and fields
};

// Multiplies values by `scale`; leaves out unknown features and fields, and stored zeros.
// The entries live in the row itself where nothing has to be left out, else in `memory`.
Entries make_entries(const Row& row, float scale, const EntryFilter& filter, EntryMemory& memory);

}  // namespace pyfm
