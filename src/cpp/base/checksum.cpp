#include "base/checksum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/random.h"

namespace pyfm {

namespace {

// Independent lanes: while one waits for its product, the others use the multiplier.
constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock = kLanes * sizeof(std::uint64_t);
using Lanes = std::array<std::uint64_t, kLanes>;

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

std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
  Lanes lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = mix64(i);
  for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock)) add(lanes, bytes.data());
  if (!bytes.empty()) {
    std::array<std::byte, kBlock> last{};
    std::copy(bytes.begin(), bytes.end(), last.begin());
    add(lanes, last.data());
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum = mix64(sum ^ lane);
  return sum;
}

}  // namespace pyfm
