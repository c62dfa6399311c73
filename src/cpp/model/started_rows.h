// Which rows of a table have their initial weights, where they are not filled when they are given.
#pragma once
#include <algorithm>
#include <atomic>

#include "base/array.h"

namespace pyfm {

class StartedRows {
 public:
  // Additional rows have not started.
  void resize(Index n_rows) {
    if (n_rows < started_.size())
      std::fill(started_.data() + n_rows, started_.data() + started_.size(), false);
    started_.resize(n_rows);
  }
  // Those from `first` on have weights.
  void start_from(Index first) noexcept {
    std::fill(started_.data() + first, started_.data() + started_.size(), true);
  }
  // Starts a row; whether it is the first to do so, of all threads.
  bool start(RowId r) noexcept {
    const std::atomic_ref<bool> started(started_[r]);
    return !started.load(std::memory_order_relaxed) &&
           !started.exchange(true, std::memory_order_relaxed);
  }
  Index nbytes() const noexcept { return started_.size(); }

 private:
  Array<bool> started_;
};

}  // namespace pyfm
