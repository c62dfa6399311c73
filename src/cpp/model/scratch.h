// Working memory of one thread for one row: filled by `score`, used by `update`.
#pragma once
#include "base/array.h"
#include "model/view.h"

namespace pyfm {

// Entries of the row that the model knows and whose value is not 0: a stored zero is no entry.
struct Scratch {
  float** entry;   // (n_entries,) row of the table
  float* x;        // (n_entries,) value, scaled
  FieldId* field;  // (n_entries,)
  int* next;       // (n_entries,) next entry of the same field, -1 at the end
  int n_entries;

  float* sum;  // FM: Σ x v, (block,)

  // FFM, one per field (padded to whole vectors):
  float** field_row;  // the row that stands for it: its only entry's, or the sum, or zeros
  int* first;         // its first entry, -1 when absent
  float* scale;       // value of its only entry, 1 for a sum, 0 when absent
  float* lane_scale;  // `scale`, repeated for each float of a block
  int* group;         // groups of fields (one vector wide) with an entry
  int n_groups;
  float* sums;   // (n_fields, width) Σ x w of fields with several entries
  float* zeros;  // (stride,) stands for absent fields; updates leave it zero
  bool plain;    // every field has exactly one entry and all values equal `x[0]`
};

// Owns what a Scratch points to.
class ScratchMemory {
 public:
  ScratchMemory(const PartShape& shape, Index max_row_nnz);
  Scratch& view() noexcept { return view_; }

 private:
  Array<char> memory_;
  Scratch view_{};
};

}  // namespace pyfm
