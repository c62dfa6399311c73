// Which table rows a batch may touch more than once. The step of a row that one entry touches need
// not wait for the batch's end: nothing else in the batch asks for the row.
#pragma once
#include <cstdint>
#include <vector>

#include "base/types.h"

namespace pyfm {

// Rows are told apart by a hash of few bits, so that all of it stays in the cache: some rows are
// taken for others, which then count as touched again.
class RepeatedRows {
 public:
  explicit RepeatedRows(std::size_t n_threads) : counts_(n_threads) {}

  // A batch begins, which touches up to so many rows.
  void begin(Index n_touches);
  // Different threads at the same time.
  [[gnu::always_inline]] void count(std::size_t thread, RowId r) noexcept {
    Bits& bits = counts_[thread][place(r) / 64];
    const std::uint64_t bit = std::uint64_t{1} << place(r) % 64;
    bits.twice |= bits.once & bit;
    bits.once |= bit;
  }
  // All have counted.
  void end() noexcept;

  // Whether nothing but this entry of the batch touches the row.
  bool is_single(RowId r) const noexcept {
    return (twice_[place(r) / 64] >> place(r) % 64 & 1) == 0;
  }

 private:
  struct Bits {
    std::uint64_t once = 0, twice = 0;
  };
  std::size_t place(RowId r) const noexcept { return std::uint32_t{r} * 0x9e3779b1u >> shift_; }

  std::vector<std::vector<Bits>> counts_;  // of each thread
  std::vector<std::uint64_t> twice_;       // of all
  int shift_ = 0;
};

}  // namespace pyfm
