#include "train/gradient_places.h"

#include <algorithm>

namespace pyfm {

namespace {

constexpr std::size_t kSlots = 4096;

// `yes` where `which` is 1, `no` where it is 0.
std::uint32_t choose(std::uint32_t which, std::uint32_t yes, std::uint32_t no) {
  return no ^ ((yes ^ no) & (0 - which));
}

}  // namespace

GradientPlaces::GradientPlaces(Index most_entries, std::span<const Index> widths)
    : last_sum_(kSlots) {
  for (const Index width : widths) parts_.push_back({width, Array<float>(most_entries * width)});
  const auto most = static_cast<std::size_t>(most_entries);
  is_single_.resize(most), numbers_.resize(most), addresses_.resize(most);
  single_rows_.resize(most);
}

void GradientPlaces::find(const RowId* rows, int n, BlockSums& block,
                          const RepeatedRows* repeated) {
  n_entries_ = static_cast<std::size_t>(n);
  for (std::size_t e = 0; e < n_entries_; ++e)
    is_single_[e] = repeated && repeated->is_single(rows[e]);
  block.add(number(rows, block.room(n_entries_), block.size()));
  for (PartPlaces& p : parts_)
    std::fill_n(p.singles.data(), static_cast<Index>(n_single_) * p.width, 0.0f);
}

// Returns how many rows are new. Nothing branches: which are is as good as random.
std::size_t GradientPlaces::number(const RowId* rows, RowSum* sums, std::size_t n_before) {
  std::uint32_t* const last_sum = last_sum_.data();
  auto n_sums = static_cast<std::uint32_t>(n_before);
  std::uint32_t n_single = 0;
  for (std::size_t e = 0; e < n_entries_; ++e) {
    const RowId r = rows[e];
    const std::uint32_t single = is_single_[e];
    const std::uint32_t last = last_sum[r % kSlots];      // or what another block left there
    const std::uint32_t before = std::min(last, n_sums);  // there is room for one more
    const std::uint32_t is_new = (last >= n_sums) | (sums[before].row != r);
    const std::uint32_t number = choose(is_new, n_sums, before);
    last_sum[r % kSlots] = choose(single, last, number);
    sums[n_sums] = {r, n_sums};
    single_rows_[n_single] = r;
    numbers_[e] = choose(single, n_single, number);
    n_sums += is_new & ~single;
    n_single += single;
  }
  n_single_ = n_single;
  return n_sums - n_before;
}

float* const* GradientPlaces::addresses(std::size_t p, BlockSums& block) {
  PartPlaces& part = parts_[p];
  float* const from[] = {block.sums(p), part.singles.data()};
  for (std::size_t e = 0; e < n_entries_; ++e)
    addresses_[e] = from[is_single_[e]] + Index{numbers_[e]} * part.width;
  return addresses_.data();
}

}  // namespace pyfm
