// Copies of some rows of the tables, optimizer state included, of the biases and of the network.
#pragma once
#include <vector>

#include "base/array.h"
#include "data/dataset.h"
#include "train/model.h"

namespace pyfm {

// The rows below `end` that the data hold, each once; row 0 is none of them.
std::vector<RowId> rows_of(const Model& model, const Dataset& data, Index end);

class RowCopies {
 public:
  RowCopies(Model& model, std::vector<RowId> rows);
  void restore(Model& model) const;

 private:
  std::vector<RowId> rows_;
  std::vector<Array<char>> copies_;  // (rows, stride) of each part
  std::vector<float> biases_;        // with their state
  NetworkCopy network_;
};

}  // namespace pyfm
