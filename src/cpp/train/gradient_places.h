// Where the gradients of an example's rows are added up: each has a place among the sums of the
// block, or one apart if the batch touches the row once. Working memory of one thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.h"
#include "train/block_sums.h"
#include "train/repeated_rows.h"
#include "train/worker.h"

namespace pyfm {

class alignas(kApart) GradientPlaces {
 public:
  // Of examples of at most so many entries, and parts whose rows have gradients of so many numbers.
  GradientPlaces(Index most_entries, std::span<const Index> widths);

  // Rows that are new to the block get a sum there, or a place apart, if `repeated` tells that they
  // are single.
  void find(const RowId* rows, int n, BlockSums& block, const RepeatedRows* repeated);
  // Of part p, for each entry of the example.
  float* const* addresses(std::size_t p, BlockSums& block);
  // The rows with places apart, and those places, (…, width), which are zero.
  std::span<const RowId> single_rows() const noexcept {
    return std::span(single_rows_).first(n_single_);
  }
  const float* singles(std::size_t p) const noexcept { return parts_[p].singles.data(); }

 private:
  struct PartPlaces {
    Index width;
    Array<float> singles;
  };
  std::size_t number(const RowId* rows, RowSum* sums, std::size_t n_before);

  std::vector<PartPlaces> parts_;
  // The number of a row's sum, by the last bits of the row's number. What was there before is
  // forgotten: the row gets another sum if it comes again.
  std::vector<std::uint32_t> last_sum_;
  // Of each entry:
  std::vector<std::uint32_t> is_single_;  // 1 or 0
  std::vector<std::uint32_t> numbers_;    // of its sum, or of its place apart
  std::vector<float*> addresses_;
  std::vector<RowId> single_rows_;
  std::size_t n_entries_ = 0, n_single_ = 0;
};

}  // namespace pyfm
