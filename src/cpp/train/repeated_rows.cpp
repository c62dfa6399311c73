#include "train/repeated_rows.h"

#include <algorithm>
#include <bit>

namespace pyfm {

void RepeatedRows::begin(Index n_touches) {
  constexpr Index least = 64, most = Index{1} << 24;
  const auto size = static_cast<std::uint32_t>(std::clamp(4 * n_touches, least, most));
  shift_ = 32 - std::countr_zero(std::bit_ceil(size));
  for (std::vector<Bits>& bits : counts_) bits.assign(std::bit_ceil(size) / 64, {});
  twice_.resize(counts_.front().size());
}

void RepeatedRows::end() noexcept {
  for (std::size_t i = 0; i < twice_.size(); ++i) {
    Bits all;
    for (const std::vector<Bits>& bits : counts_) {
      all.twice |= bits[i].twice | (all.once & bits[i].once);
      all.once |= bits[i].once;
    }
    twice_[i] = all.twice;
  }
}

}  // namespace pyfm
