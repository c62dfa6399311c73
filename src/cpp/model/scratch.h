// Working memory of one thread for one row: filled by `score`, used by `update`.
#pragma once
#include "base/array.h"
#include "model/view.h"

namespace pyfm {

// A row with its features looked up and its entries filtered and scaled (see model/entries.h).
struct Entries {
  const RowId* row;      // of the tables
  const FieldId* field;  // null: entry i belongs to field i
  const float* x;
  int size;
  int n_deep;           // the first so many; only linear terms see the others
  bool equal;           // all x are the same
  void** at = nullptr;  // where the rows lie in the table of the part at hand; room for padding
};

struct EntryMemory {
  RowId* row;
  FieldId* field;
  float* x;
  float* equal;  // n_equal times the same number
  int n_equal;
};

// What FFM's kernels make use of in a row, the most special first.
enum class FieldRows {
  plain,          // one entry in every field, all values equal
  full,           // one entry in every field
  plain_partial,  // at most one entry in every field, all values equal; absent fields are left out
                  // of the lists by field
  partial,        // the same of any values
  several         // anything
};

constexpr bool equal_values(FieldRows kind) {
  return kind == FieldRows::plain || kind == FieldRows::plain_partial;
}
constexpr bool leaves_out(FieldRows kind) {
  return kind == FieldRows::plain_partial || kind == FieldRows::partial;
}

// Of 64 fields, a bit each: those in runs that fill a vector, and others in runs that fill half of
// it. `end`: entries of a row up to there belong to these fields, or to those before them.
struct FieldRuns {
  std::uint64_t whole, half;
  int end;
};

// Rows that are prepared: the one at hand, and those that follow.
inline constexpr int kPreparedRows = 5;

struct Scratch {
  Entries row;           // the row that was scored last
  Entries next;          // a row to be fetched into the cache meanwhile; of size 0: none
  bool trains;           // an update or add_example follows the score
  bool fetches_slots;    // rows that are scored will be stepped, at once or later
  std::uint32_t* noise;  // (16,) state of the random numbers that round to 16 bits

  void** at[kPreparedRows];  // addresses of their entries in this part's table

  float* collected;  // linear: (entries, stride) what the table holds of the row's entries

  float* sum;  // FM: Σ x v, (block,)

  void** fetch;  // FFM: (n_fetch,) addresses of rows of `next` that are to be fetched
  int n_fetch;

  // FFM: entries by field.
  FieldRows kind;
  int* next_entry;  // of the same field, -1 at the end
  // One per field, padded to whole vectors:
  void** field_row;      // the row that stands for it: its only entry's, or the sum, or zeros …
  void** row_of_field;   // … which is either row.at or here
  int* first;            // its first entry, -1 when absent
  bool* sum_stands_for;  // whether it has a sum
  float* scale;          // value of its only entry, 1 for a sum, 0 when absent
  float* lane_scale;     // `scale`, repeated for each float of a block
  int n_listed;          // fields in the lists
  int* group;            // groups of listed fields (one vector wide) with an entry
  int n_groups;
  int* entry;       // entries of listed fields, if absent fields are left out
  Index* column;    // where a listed field's block stands in a row, if absent fields are left out
  int n_together;   // then the first so many groups are of fields that stand side by side, …
  int n_halves;     // … and so many after them are halves that do
  FieldRuns* runs;  // of each 64 fields
  float* sums;      // (n_fields, width) Σ x w of each field of a row with several entries in some
  float* absent;    // (width,) zeros, stand for absent fields beside sums of 16-bit rows
  void* padding;    // (stride,) a table row of zeros, stands for absent fields and for those that
                    // only fill a vector

  // FFM in batches:
  float** field_gradient;  // gradient of the first entry of each field
  float* no_gradient;      // (width,) takes what belongs to no entry
};

// Owns what an EntryMemory and the Scratch of one part point to.
class ScratchMemory {
 public:
  ScratchMemory(const PartShape& shape, Index max_row_nnz);
  Scratch& view() noexcept { return view_; }

 private:
  Array<char> memory_;
  Scratch view_{};
};

class EntryBuffer {
 public:
  explicit EntryBuffer(Index max_row_nnz);
  EntryMemory& view() noexcept { return view_; }

 private:
  Array<char> memory_;
  EntryMemory view_{};
};

}  // namespace pyfm
