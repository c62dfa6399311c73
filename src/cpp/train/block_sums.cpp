#include "train/block_sums.h"

#include <algorithm>
#include <numeric>

namespace pyfm {

namespace {

// Zeros in rows [begin, end).
void clear_rows(Array<float>& of, Index width, std::size_t begin, std::size_t end) {
  const Index first = static_cast<Index>(begin) * width, last = static_cast<Index>(end) * width;
  if (last > of.size()) of.resize(last);
  std::fill(of.data() + first, of.data() + last, 0.0f);
}

}  // namespace

BlockSums::BlockSums(std::span<const Index> widths, RowShares shares) : shares_(shares) {
  for (const Index width : widths) parts_.push_back({width, {}, {}});
}

void BlockSums::clear() noexcept {
  rows_.clear();
  std::ranges::fill(slots_, RowSum{0, kNoGradient});
}

void BlockSums::place(const RowId* rows, int n, const RepeatedRows* repeated) {
  const auto size = static_cast<std::size_t>(n), n_before = rows_.size();
  single_.resize(size), summed_.resize(size);
  if (repeated) {
    std::size_t n_single = 0, n_summed = 0;
    for (std::size_t e = 0; e < size; ++e) {  // nothing branches: which is which is random
      const bool is_single = repeated->is_single(rows[e]);
      single_[n_single] = summed_[n_summed] = static_cast<std::uint32_t>(e);
      n_single += is_single, n_summed += !is_single;
    }
    single_.resize(n_single), summed_.resize(n_summed);
  } else {
    single_.clear();
    std::iota(summed_.begin(), summed_.end(), 0u);
  }
  placed_.entries += size, placed_.singles += single_.size();
  single_rows_.resize(single_.size());
  for (std::size_t i = 0; i < single_.size(); ++i) single_rows_[i] = rows[single_[i]];
  number(rows, summed_);
  for (PartSums& p : parts_) {
    clear_rows(p.sums, p.width, n_before, rows_.size());
    clear_rows(p.singles, p.width, 0, single_.size());
  }
}

void BlockSums::number(const RowId* rows, std::span<const std::uint32_t> entries) {
  while (slots_.size() < 2 * (rows_.size() + entries.size())) grow();
  numbers_.resize(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const RowId r = rows[entries[i]];
    RowSum& slot = slots_[slot_of(r)];
    if (slot.number == kNoGradient) {
      slot = {r, static_cast<std::uint32_t>(rows_.size())};
      rows_.push_back(slot);
    }
    numbers_[i] = slot.number;
  }
}

float* const* BlockSums::addresses(std::size_t p) {
  PartSums& part = parts_[p];
  addresses_.resize(summed_.size() + single_.size());
  for (std::size_t i = 0; i < summed_.size(); ++i)
    addresses_[summed_[i]] = part.sums.data() + Index{numbers_[i]} * part.width;
  for (std::size_t i = 0; i < single_.size(); ++i)
    addresses_[single_[i]] = part.singles.data() + static_cast<Index>(i) * part.width;
  return addresses_.data();
}

// Rows that are frequent have small numbers: their slots lie side by side, each its own.
std::size_t BlockSums::slot_of(RowId r) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = r & mask;
  while (slots_[at].number != kNoGradient && slots_[at].row != r) at = (at + 1) & mask;
  return at;
}

void BlockSums::grow() {
  constexpr std::size_t first = 1024;
  slots_.assign(std::max(first, 2 * slots_.size()), RowSum{0, kNoGradient});
  for (const RowSum& r : rows_) slots_[slot_of(r.row)] = r;
}

void BlockSums::sort() {
  begin_.fill(0);
  if (shares_.size() == 1) {
    begin_[1] = rows_.size();
    return;
  }
  for (const RowSum& r : rows_) ++begin_[shares_.of(r.row) + 1];
  for (std::size_t i = 0; i < shares_.size(); ++i) begin_[i + 1] += begin_[i];
  std::array<std::size_t, RowShares::kMost + 1> next = begin_;
  unsorted_.swap(rows_);
  rows_.resize(unsorted_.size());
  for (const RowSum& r : unsorted_) rows_[next[shares_.of(r.row)]++] = r;
}

}  // namespace pyfm
