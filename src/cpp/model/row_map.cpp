#include "model/row_map.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "base/error.h"

namespace pyfm {

namespace {

// Counts in descending classes of 1/16 of an octave: exact up to 32, then about 6 % wide.
constexpr std::size_t kClasses = 16 * 32;
std::size_t frequency_class(std::uint32_t count) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(count));
  return kClasses - 1 - ((bits >> 19) - (0x3f800000u >> 19));
}

}  // namespace

std::vector<RowMap::Counted> RowMap::take_counted() {
  std::array<std::size_t, kClasses + 1> ends{};
  for (const RowId entry : row_of_.view())
    if (entry >= kCounted) ++ends[frequency_class(entry - kCounted) + 1];
  for (std::size_t c = 0; c < kClasses; ++c) ends[c + 1] += ends[c];
  std::vector<Counted> found(ends[kClasses]);
  for (Index j = 0; j < n_features(); ++j) {
    if (row_of_[j] < kCounted) continue;
    const std::uint32_t count = row_of_[j] - kCounted;
    found[ends[frequency_class(count)]++] = {static_cast<FeatureId>(j), count};
    row_of_[j] = 0;
  }
  return found;
}

void RowMap::add(std::span<const FeatureId> features) {
  const Index first = n_rows(), size = first + static_cast<Index>(features.size());
  if (size > kMaxRows)
    throw OutOfMemory("a model holds at most " + std::to_string(kMaxRows - 1) +
                      " features that occur, found more");
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
