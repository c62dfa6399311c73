// Which row of the tables belongs to which feature. Rows are given out one after the other, so that
// a table holds the features that were met and nothing else; row 0 stands for all others.
#pragma once
#include <span>

#include "base/array.h"

namespace pyfm {

class RowMap {
 public:
  explicit RowMap(Index n_features) : row_of_(n_features), feature_of_(1) {}

  Index n_features() const noexcept { return row_of_.size(); }
  Index n_rows() const noexcept { return feature_of_.size(); }  // counts row 0
  RowId row(FeatureId j) const noexcept { return row_of_[j]; }
  FeatureId feature(RowId r) const noexcept { return feature_of_[r]; }
  const RowId* rows() const noexcept { return row_of_.data(); }  // (n_features,)
  Index nbytes() const noexcept { return row_of_.size() * 4 + feature_of_.size() * 4; }

  // Gives rows to features that have none; throws OutOfMemory when there are no more numbers.
  void add(std::span<const FeatureId> features);
  // Takes the last rows away: n_rows are left.
  void truncate(Index n_rows) noexcept;

 private:
  Array<RowId> row_of_;  // 0: none
  Array<FeatureId> feature_of_;
};

}  // namespace pyfm
