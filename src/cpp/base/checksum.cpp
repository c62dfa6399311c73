#include "base/checksum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/random.h"

namespace pyfm {

namespace {

// Independent lanes: while one waits for its product, the others use the multiplier.
using Lanes = Checksum::Lanes;
constexpr std::size_t kLanes = Checksum::kLanes;

std::uint64_t little_endian_word(const std::byte* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

// The round of xxHash64 (Y. Collet). For a fixed word it is a bijection of the lane, and the other
// way round: a change in one word survives. The first product is needed: with the last alone, the
// top bit of a word would become a single bit of the lane, which one bit of the next word undoes.
void add(Lanes& lanes, const std::byte* block) noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) {
    const std::uint64_t word = little_endian_word(block + i * sizeof word);
    lanes[i] = std::rotl(lanes[i] + word * 0xc2b2ae3d27d4eb4fu, 31) * 0x9e3779b185ebca87u;
  }
}

}  // namespace

Checksum::Checksum() noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) lanes_[i] = mix64(i);
}

void Checksum::add(std::span<const std::byte> bytes) noexcept {
  if (n_rest_ > 0) {
    const std::size_t n = std::min(kBlock - n_rest_, bytes.size());
    std::copy_n(bytes.begin(), n, rest_.begin() + static_cast<std::ptrdiff_t>(n_rest_));
    n_rest_ += n;
    bytes = bytes.subspan(n);
    if (n_rest_ < kBlock) return;
    pyfm::add(lanes_, rest_.data());
  }
  for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock)) pyfm::add(lanes_, bytes.data());
  std::copy(bytes.begin(), bytes.end(), rest_.begin());
  n_rest_ = bytes.size();
}

std::uint64_t Checksum::value() const noexcept {
  Lanes lanes = lanes_;
  if (n_rest_ > 0) {
    std::array<std::byte, kBlock> last{};
    std::copy_n(rest_.begin(), n_rest_, last.begin());
    pyfm::add(lanes, last.data());
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum = mix64(sum ^ lane);
  return sum;
}

std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
  Checksum sum;
  sum.add(bytes);
  return sum.value();
}

}  // namespace pyfm
