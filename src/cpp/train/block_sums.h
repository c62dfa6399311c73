// Gradients that are added up within a block of examples first. The sums of a block go to the
// gradients of the batch afterwards, in the order of the blocks.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.h"
#include "model/batch.h"
#include "train/batch.h"

namespace pyfm {

class BlockSums {
 public:
  // Of parts whose rows have sums of so many numbers.
  explicit BlockSums(std::span<const Index> widths);

  void clear() noexcept { n_ = 0; }
  std::size_t size() const noexcept { return n_; }
  // Room for so many sums more, of which `add` takes the first: they are zero.
  RowSum* room(std::size_t n) {
    if (rows_.size() < n_ + n) rows_.resize(2 * (n_ + n));
    return rows_.data();
  }
  void add(std::size_t n);
  // Of part p, (…, width).
  float* sums(std::size_t p) noexcept { return parts_[p].sums.data(); }
  const float* sums(std::size_t p) const noexcept { return parts_[p].sums.data(); }
  // Those from number `first` on. A row may have several sums.
  std::span<const RowSum> rows(std::size_t first) const noexcept {
    return std::span(rows_).subspan(first, n_ - first);
  }

  // Sorts the sums by their rows' shares, each in the order of their numbers.
  void sort(RowShares shares);
  std::span<const RowSum> of_share(std::size_t i) const noexcept {
    return std::span(rows_).subspan(begin_[i], begin_[i + 1] - begin_[i]);
  }

 private:
  struct PartSums {
    Index width;
    Array<float> sums;
  };
  std::vector<PartSums> parts_;
  std::vector<RowSum> rows_, unsorted_;  // the first n_
  std::size_t n_ = 0;
  std::array<std::size_t, RowShares::kMost + 1> begin_{};
};

}  // namespace pyfm
