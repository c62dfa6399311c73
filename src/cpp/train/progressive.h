// Progressive validation (Blum, Kalai, Langford 1999): every example is scored before the model
// learns it, with the weights that it would be served with.
//
// Features that are met for the first time have rows with initial weights already, which their
// first example learns from; its score is that without them, as it would be in prediction.
#pragma once
#include <algorithm>
#include <atomic>
#include <span>

#include "base/array.h"
#include "data/row.h"
#include "model/row_map.h"
#include "model/scratch.h"

namespace pyfm {

class Progressive {
 public:
  // Rows from `first_new` on belong to features that are yet to be met. Scores: those of each
  // example, (n_examples, n_outputs).
  Progressive(const RowMap& rows, Index first_new, std::span<float> scores)
      : rows_(rows), first_new_(first_new), met_(rows.n_rows() - first_new), scores_(scores) {}

  bool is_new(RowId r) const noexcept {
    return r >= first_new_ && !has_been_met(r).load(std::memory_order_relaxed);
  }
  bool finds_new(const Entries& e) const noexcept {
    if (met_.empty()) return false;
    bool found = false;
    for (int i = 0; i < e.size; ++i) found |= is_new(e.row[i]);
    return found;
  }
  void keep(Index example, std::span<const float> scores) noexcept {
    std::ranges::copy(scores, scores_.begin() + example * std::ssize(scores));
  }
  // To the only score.
  void add(Index example, float score) noexcept {
    scores_[static_cast<std::size_t>(example)] += score;
  }
  // After the model has learned the example. Stored zeros are met, too.
  void meet(const Row& example) noexcept {
    if (met_.empty()) return;
    for (Index e = 0; e < example.size; ++e)
      if (const RowId r = rows_.row(example.features[e]); is_new(r))
        has_been_met(r).store(true, std::memory_order_relaxed);
  }

 private:
  // Several threads may meet a feature at once.
  std::atomic_ref<bool> has_been_met(RowId r) const noexcept {
    return std::atomic_ref<bool>(met_[r - first_new_]);
  }

  const RowMap& rows_;
  Index first_new_;
  mutable Array<bool> met_;  // (rows from first_new on,)
  std::span<float> scores_;
};

}  // namespace pyfm
