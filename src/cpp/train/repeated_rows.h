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
    const Place at = place(r);
    std::uint64_t& word = counts_[thread][at.word];
    word |= at.once | (word & at.once) << 1;
  }
  // All have counted. Returns how many rows are single.
  std::size_t end() noexcept;

  // Whether nothing but this entry of the batch touches the row.
  bool is_single(RowId r) const noexcept {
    const Place at = place(r);
    return (all()[at.word] & at.once << 1) == 0;
  }

 private:
  // A bit of a word, which is set for a row that was met once; the next one is for twice.
  struct Place {
    std::size_t word;
    std::uint64_t once;
  };
  [[gnu::always_inline]] Place place(RowId r) const noexcept {
    const std::uint32_t hash = std::uint32_t{r} * 0x9e3779b1u >> shift_;
    return {hash / kPlaces, std::uint64_t{1} << 2 * (hash % kPlaces)};
  }
  // Of all threads, at last.
  const std::vector<std::uint64_t>& all() const noexcept { return counts_.front(); }

  static constexpr std::uint32_t kPlaces = 32;      // of a word
  std::vector<std::vector<std::uint64_t>> counts_;  // of each thread
  int shift_ = 0;
};

}  // namespace pyfm
