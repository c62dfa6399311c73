#include "train/repeated_rows.h"

#include <algorithm>
#include <bit>

namespace pyfm {

void RepeatedRows::begin(Index n_touches) {
  constexpr Index least = 64, most = Index{1} << 24;
  const auto size =
      std::bit_ceil(static_cast<std::uint32_t>(std::clamp(2 * n_touches, least, most)));
  shift_ = 32 - std::countr_zero(size);
  for (std::vector<std::uint64_t>& counts : counts_) counts.assign(size / kPlaces, 0);
}

std::size_t RepeatedRows::end() noexcept {
  constexpr std::uint64_t once = 0x5555555555555555;
  std::vector<std::uint64_t>& all = counts_.front();
  std::size_t n_single = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::uint64_t& word = all[i];
    for (std::size_t thread = 1; thread < counts_.size(); ++thread) {
      const std::uint64_t other = counts_[thread][i];
      word |= other | (word & other & once) << 1;
    }
    n_single += static_cast<std::size_t>(std::popcount(word & ~(word >> 1) & once));
  }
  return n_single;
}

}  // namespace pyfm
