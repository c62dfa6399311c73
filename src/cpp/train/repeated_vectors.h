// The vectors that repeat within a batch, field by field: a network multiplies each of them once
// (nn/coded_input.h). Frequent features make most of a batch: of Criteo's 39 fields, 27 have fewer
// than 300 vectors in 1024 examples.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.h"
#include "base/team.h"
#include "model/batch.h"
#include "model/scratch.h"
#include "nn/coded_input.h"
#include "train/batch.h"

namespace pyfm {

class RepeatedVectors {
 public:
  // Whether it pays: for first layers that are wide enough, and batches whose sums by vector
  // float32 is good for.
  static bool pay(Index most_rows, Index n_fields, Index width, Index n_out);
  // Memory of an example, in bytes, that of the products included.
  static double bytes_of_row(Index n_fields, Index width, Index n_out);

  RepeatedVectors(Index most_rows, Index n_fields, Index width, RowShares shares);

  // The table rows of example i, by several threads.
  void note(Index i, const Entries&) noexcept;

  // After all n examples of a batch. Finds the fields that repeat few vectors; where there are any,
  // returns the input as the network takes it: the other fields are moved together at the left of
  // `input`, (n, n_fields × width), and of `dinput`. Null where there are none.
  const CodedInput* find(Index n, Matrix input, Matrix dinput, Team&);

  // The touches of a share which are not of such a field, with their field's number among those
  // that were moved together, and `at` of them.
  void keep_plain(std::span<const Touch>, std::span<const std::uint32_t> at,
                  std::vector<Touch>& touches, std::vector<std::uint32_t>& plain_at) const;

  // A vector of a repeating field: a table row, and its number in the input's `vectors`.
  struct Vector {
    RowId row;
    std::uint32_t number;
  };
  // Those of a share of the table's rows.
  std::span<const Vector> vectors(std::size_t share) const noexcept;

 private:
  struct Field {
    std::vector<std::uint32_t> first;  // example of each vector
    std::vector<RowId> rows;           // of each vector
    bool repeats;
    Index column;  // its number among the fields of its kind
  };
  void number(Index field, Index n, std::vector<Vector>& map);
  void choose(Index n);
  void list_by_share();
  void move(Index n, Matrix input, Team&);

  Index most_rows_, n_fields_;
  RowShares shares_;
  Array<std::uint32_t> codes_of_field_;  // (n_fields, most_rows): first table rows, then codes
  Array<std::uint32_t> codes_;           // (rows, repeating fields)
  Array<float> vectors_, dvectors_;
  std::vector<Field> fields_;
  std::vector<std::vector<Vector>> maps_;  // of each thread
  std::vector<Index> plain_;
  std::vector<CodedInput::Block> coded_;
  std::vector<Vector> by_share_;
  std::vector<std::size_t> share_begin_;
  CodedInput input_;
};

}  // namespace pyfm
