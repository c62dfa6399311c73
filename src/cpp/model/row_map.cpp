#include "model/row_map.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace pyfm {

void RowMap::add(std::span<const FeatureId> features) {
  const Index first = n_rows(), size = first + static_cast<Index>(features.size());
  if (size - 1 > Index{std::numeric_limits<RowId>::max()})
    throw OutOfMemory("a model holds at most 2^32 - 1 features, found one more");
  feature_of_.reserve(size);
  feature_of_.resize(size);
  std::ranges::copy(features, feature_of_.data() + first);
  for (Index r = first; r < size; ++r) row_of_[feature_of_[r]] = static_cast<RowId>(r);
}

void RowMap::truncate(Index n_rows) noexcept {
  for (Index r = n_rows; r < feature_of_.size(); ++r) row_of_[feature_of_[r]] = 0;
  if (n_rows < feature_of_.size()) feature_of_.resize(n_rows);
}

}  // namespace pyfm
