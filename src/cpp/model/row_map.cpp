#include "model/row_map.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/unique_id.h"

namespace pyfm {

namespace {

// Counts in descending classes of 1/16 of an octave: exact up to 32, then about 6 % wide.
constexpr std::size_t kClasses = 16 * 32;
std::size_t frequency_class(std::uint32_t count) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(count));
  return kClasses - 1 - ((bits >> 19) - (0x3f800000u >> 19));
}

}  // namespace

std::vector<FeatureId> RowMap::counted(std::uint32_t least) const {
  std::vector<FeatureId> found;
  for (Index j = 0; j < n_features(); ++j)
    if (row_of_[j] >= kCounted && row_of_[j] - kCounted >= least)
      found.push_back(static_cast<FeatureId>(j));
  return found;
}

void RowMap::forget_counts() noexcept {
  if (std::exchange(n_counted_, 0) == 0) return;
  for (Index j = 0; j < n_features(); ++j)
    if (row_of_[j] >= kCounted) row_of_[j] = 0;
}

std::vector<RowMap::Counted> RowMap::by_frequency(std::span<const FeatureId> features) const {
  std::array<std::size_t, kClasses + 1> ends{};
  for (const FeatureId j : features) ++ends[frequency_class(count_of(j)) + 1];
  for (std::size_t c = 0; c < kClasses; ++c) ends[c + 1] += ends[c];
  std::vector<Counted> found(features.size());
  for (const FeatureId j : features) found[ends[frequency_class(count_of(j))]++] = {j, count_of(j)};
  return found;
}

void RowMap::add(std::span<const FeatureId> features) {
  const Index first = n_rows(), size = first + static_cast<Index>(features.size());
  if (size > kMaxRows)
    throw OutOfMemory("a model holds at most " + std::to_string(kMaxRows - 1) +
                      " features that occur, found more");
  version_ = unique_id();
  feature_of_.reserve(size);
  feature_of_.resize(size);
  std::ranges::copy(features, feature_of_.data() + first);
  for (Index r = first; r < size; ++r) {
    set_count(feature_of_[r], 0);
    row_of_[feature_of_[r]] = static_cast<RowId>(r);
  }
}

void RowMap::truncate(Index n_rows) noexcept {
  version_ = unique_id();
  for (Index r = n_rows; r < feature_of_.size(); ++r) row_of_[feature_of_[r]] = 0;
  if (n_rows < feature_of_.size()) feature_of_.resize(n_rows);
}

}  // namespace pyfm
