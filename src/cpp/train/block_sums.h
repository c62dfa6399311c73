// Gradients that are added up within a block of examples first: of parts whose gradients need whole
// examples, right after each is scored, while the cache has all of it. The sums of a block go to
// the gradients of the batch afterwards, in the order of the blocks.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/array.h"
#include "model/batch.h"
#include "train/batch.h"
#include "train/repeated_rows.h"

namespace pyfm {

class BlockSums {
 public:
  // Of parts whose rows have sums of so many numbers.
  BlockSums(std::span<const Index> widths, RowShares shares);

  void clear() noexcept;
  // Finds places for the gradients of an example's rows. The sums of rows that are new are zero, as
  // are places apart from them, for rows that the batch touches once, where that is known.
  void place(const RowId* rows, int n, const RepeatedRows*);
  // Of part p, the places that were found last, for each row of the example.
  float* const* addresses(std::size_t p);
  // The rows with places apart, and those places, (…, width).
  std::span<const RowId> single_rows() const noexcept { return single_rows_; }
  const float* singles(std::size_t p) const noexcept { return parts_[p].singles.data(); }

  // How many entries there were, and how many of them had places apart, since this was asked last.
  struct Placed {
    std::size_t entries = 0, singles = 0;
  };
  Placed take_placed() noexcept { return std::exchange(placed_, {}); }

  std::size_t n_rows() const noexcept { return rows_.size(); }
  // Sorts the rows with sums by their shares, each in the order of their numbers.
  void sort();
  std::span<const RowSum> of_share(std::size_t i) const noexcept {
    return std::span(rows_).subspan(begin_[i], begin_[i + 1] - begin_[i]);
  }
  // Of part p, (…, width).
  const float* sums(std::size_t p) const noexcept { return parts_[p].sums.data(); }

 private:
  struct PartSums {
    Index width;
    Array<float> sums, singles;
  };
  void number(const RowId* rows, std::span<const std::uint32_t> entries);
  void grow();
  std::size_t slot_of(RowId r) const noexcept;

  RowShares shares_;
  std::vector<PartSums> parts_;
  std::vector<RowSum> rows_, unsorted_;
  std::vector<RowSum> slots_;  // a hash table of rows_, at most half full; number kNoGradient: free
  // Entries of the example at hand: those whose rows have sums, and the numbers of these; the
  // others, and their rows.
  std::vector<std::uint32_t> summed_, numbers_, single_;
  std::vector<RowId> single_rows_;
  std::vector<float*> addresses_;
  Placed placed_;
  std::array<std::size_t, RowShares::kMost + 1> begin_{};
};

}  // namespace pyfm
