#include "train/block_sums.h"

#include <algorithm>

namespace pyfm {

BlockSums::BlockSums(std::span<const Index> widths) {
  for (const Index width : widths) parts_.push_back({width, {}});
}

void BlockSums::add(std::size_t n) {
  for (PartSums& p : parts_) {
    const Index first = static_cast<Index>(n_) * p.width,
                last = static_cast<Index>(n_ + n) * p.width;
    if (last > p.sums.size()) p.sums.resize(last);
    std::fill(p.sums.data() + first, p.sums.data() + last, 0.0f);
  }
  n_ += n;
}

void BlockSums::sort(RowShares shares) {
  begin_.fill(0);
  if (shares.size() == 1) {
    begin_[1] = n_;
    return;
  }
  for (const RowSum& r : rows(0)) ++begin_[shares.of(r.row) + 1];
  for (std::size_t i = 0; i < shares.size(); ++i) begin_[i + 1] += begin_[i];
  std::array<std::size_t, RowShares::kMost + 1> next = begin_;
  unsorted_.resize(rows_.size());
  for (const RowSum& r : rows(0)) unsorted_[next[shares.of(r.row)]++] = r;
  unsorted_.swap(rows_);
}

}  // namespace pyfm
