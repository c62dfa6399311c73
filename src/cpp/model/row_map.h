// Which row of the tables belongs to which feature. Rows are given out one after the other, so that
// a table holds the features that were met and nothing else; row 0 stands for all others.
#pragma once
#include <atomic>
#include <span>
#include <vector>

#include "base/array.h"

namespace pyfm {

class RowMap {
 public:
  static constexpr Index kMaxRows = Index{1} << 31;

  explicit RowMap(Index n_features) : row_of_(n_features), feature_of_(1) {}

  Index n_features() const noexcept { return row_of_.size(); }
  Index n_rows() const noexcept { return feature_of_.size(); }  // counts row 0
  RowId row(FeatureId j) const noexcept { return row_of_[j]; }
  FeatureId feature(RowId r) const noexcept { return feature_of_[r]; }
  std::span<const FeatureId> features() const noexcept { return feature_of_.view(); }  // (n_rows,)
  const RowId* rows() const noexcept { return row_of_.data(); }  // (n_features,)
  Index nbytes() const noexcept {
    return (row_of_.size() + feature_of_.size()) * Index{sizeof(RowId)};
  }

  // Features without a row are counted where their row's number will stand. No count gets lost when
  // several threads count at once: the order of rows, which 16-bit rounding depends on in batches,
  // is the same for any number of threads.
  void count(FeatureId j) noexcept {
    const std::atomic_ref<RowId> entry(row_of_[j]);
    RowId before = entry.load(std::memory_order_relaxed);
    while ((before == 0 || before >= kCounted) && before != kMostCounted)
      if (entry.compare_exchange_weak(before, (before | kCounted) + 1, std::memory_order_relaxed))
        return;
  }
  struct Counted {
    FeatureId feature;
    std::uint32_t count;
  };
  // What was counted, the most frequent first; about equally frequent ones by their ids. All rows
  // are numbers again.
  std::vector<Counted> take_counted();

  // Gives rows to features that have none; throws OutOfMemory when there are no more numbers.
  void add(std::span<const FeatureId> features);
  // Takes the last rows away: n_rows are left.
  void truncate(Index n_rows) noexcept;

 private:
  static constexpr RowId kCounted = RowId{1} << 31, kMostCounted = ~RowId{0};

  Array<RowId> row_of_;  // 0: none; from kCounted on: none, but a count
  Array<FeatureId> feature_of_;
};

}  // namespace pyfm
