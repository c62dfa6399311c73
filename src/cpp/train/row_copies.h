// Copies of some rows of the tables, optimizer state included, of the biases and of the network.
#pragma once
#include <span>
#include <vector>

#include "base/array.h"
#include "data/dataset.h"
#include "train/model.h"

namespace pyfm {

// The rows that the data hold, each once, in ascending order; row 0 is none of them.
std::vector<RowId> rows_of(const Model& model, const Dataset& data);

class RowCopies {
 public:
  // Of rows whose numbers stay where they are.
  RowCopies(Model& model, std::span<const RowId> rows);
  void restore(Model& model) const;

 private:
  std::span<const RowId> rows_;
  std::vector<Array<char>> copies_;  // (rows, stride) of each part
  std::vector<float> biases_;        // with their state
  NetworkCopy network_;
};

}  // namespace pyfm
