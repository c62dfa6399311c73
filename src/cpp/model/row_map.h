// Which row of the tables belongs to which feature. Rows are given out one after the other, so that
// a table holds the features that were met (often enough) and nothing else; row 0 stands for all
// others.
#pragma once
#include <span>
#include <vector>

#include "base/array.h"
#include "base/fetch.h"

namespace pyfm {

class RowMap {
 public:
  static constexpr Index kMaxRows = Index{1} << 31;

  explicit RowMap(Index n_features) : row_of_(n_features), feature_of_(1) {}

  Index n_features() const noexcept { return row_of_.size(); }
  Index n_rows() const noexcept { return feature_of_.size(); }  // counts row 0
  RowId row(FeatureId j) const noexcept { return number(row_of_[j]); }
  FeatureId feature(RowId r) const noexcept { return feature_of_[r]; }
  std::span<const FeatureId> features() const noexcept { return feature_of_.view(); }  // (n_rows,)
  const RowId* entries() const noexcept { return row_of_.data(); }  // (n_features,) for number()
  static constexpr RowId number(RowId entry) noexcept { return entry < kCounted ? entry : 0; }
  // Another one whenever features get rows, or rows are taken away; never that of another map.
  std::uint64_t version() const noexcept { return version_; }
  Index nbytes() const noexcept {
    return (row_of_.size() + feature_of_.size()) * Index{sizeof(RowId)};
  }

  // Features without a row are counted where their row's number will stand; of different ones by
  // different threads. Returns the count, which stays at kMostCounts; 0 of features with a row.
  std::uint32_t count(FeatureId j) noexcept {
    RowId& entry = row_of_[j];
    if (entry != 0 && entry < kCounted) return 0;
    if (entry != ~RowId{0}) entry = (entry | kCounted) + 1;
    return entry - kCounted;
  }
  static constexpr std::uint32_t kMostCounts = (std::uint32_t{1} << 31) - 1;
  [[gnu::always_inline]] void fetch(FeatureId j) const noexcept { pyfm::fetch(&row_of_[j]); }

  struct Counted {
    FeatureId feature;
    std::uint32_t count;
  };
  std::uint32_t count_of(FeatureId j) const noexcept {
    return row_of_[j] < kCounted ? 0 : row_of_[j] - kCounted;
  }
  void set_count(FeatureId j, std::uint32_t count) noexcept {
    n_counted_ += Index{count != 0} - Index{row_of_[j] >= kCounted};
    row_of_[j] = count == 0 ? 0 : count | kCounted;
  }
  // Features without a row that were counted: as many more as `count` said 1.
  Index n_counted() const noexcept { return n_counted_; }
  void add_counted(Index n) noexcept { n_counted_ += n; }
  // Features without a row that were counted at least so many times, by their ids.
  std::vector<FeatureId> counted(std::uint32_t least) const;
  void forget_counts() noexcept;
  // With their counts, the most frequent first; about equally frequent ones stay in their order.
  std::vector<Counted> by_frequency(std::span<const FeatureId> features) const;

  // Rows go to the features that have any; others have none and were not counted.
  void resize(Index n_features) { row_of_.resize(n_features); }
  // Gives rows to features that have none; throws OutOfMemory when there are no more numbers.
  void add(std::span<const FeatureId> features);
  // Takes the last rows away: n_rows are left.
  void truncate(Index n_rows) noexcept;

 private:
  static constexpr RowId kCounted = RowId{1} << 31;

  Array<RowId> row_of_;  // 0: none; from kCounted on: none, but a count
  Array<FeatureId> feature_of_;
  Index n_counted_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace pyfm
