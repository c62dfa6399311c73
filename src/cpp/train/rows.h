// Work on the rows of a data set in blocks, on several threads, with an ear for the caller.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>

#include "base/parallel.h"
#include "data/row.h"

namespace pyfm {

// Called on the calling thread about ten times a second with the number of rows begun.
// An exception ends the work of all threads at once.
using Poll = std::function<void(Index)>;

// Factor that scales a row to unit Euclidean length, as libffm does; 1 for a row of zeros.
// In double precision, where the square of no float overflows; finite for the smallest rows too.
inline float unit_length(const Row& row) noexcept {
  double squares = static_cast<double>(row.size);
  if (row.values) {
    squares = 0;
    for (Index i = 0; i < row.size; ++i)
      squares += static_cast<double>(row.values[i]) * static_cast<double>(row.values[i]);
  }
  constexpr double most = std::numeric_limits<float>::max();
  return squares > 0 ? static_cast<float>(std::min(1 / std::sqrt(squares), most)) : 1.0f;
}

// Rows that a thread takes at a time: every thread gets some dozens of blocks also of few rows,
// since what it learns of frequent features in a block the others see only afterwards. Very few
// rows are one block: one thread is done with them sooner than several.
inline Index row_block(Index n_rows, int n_threads) noexcept {
  const Index most = n_threads > 1 ? 128 : 512;
  return n_rows <= most ? most : std::clamp<Index>(n_rows / (Index{64} * n_threads), 8, most);
}

// body(thread, begin, end) for blocks of [0, n_rows); a thread handles one block at a time.
template <class F>
void for_row_blocks(Index n_rows, Index block, int n_threads, const Poll& poll, F&& body) {
  using Clock = std::chrono::steady_clock;
  std::atomic<Index> next{0};
  std::atomic<bool> stop{false};
  parallel(n_rows <= block ? 1 : n_threads, [&](int thread) {
    auto last_poll = Clock::now();
    while (!stop.load(std::memory_order_relaxed)) {
      const Index begin = next.fetch_add(block, std::memory_order_relaxed);
      if (begin >= n_rows) break;
      const Index end = std::min(begin + block, n_rows);
      body(thread, begin, end);
      if (thread != 0 || !poll || Clock::now() - last_poll < std::chrono::milliseconds(100))
        continue;
      try {
        poll(end);
      } catch (...) {
        stop.store(true, std::memory_order_relaxed);
        throw;
      }
      last_poll = Clock::now();
    }
  });
}
template <class F>
void for_row_blocks(Index n_rows, int n_threads, const Poll& poll, F&& body) {
  for_row_blocks(n_rows, row_block(n_rows, n_threads), n_threads, poll, body);
}

}  // namespace pyfm
