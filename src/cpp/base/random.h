// Counter-based random numbers: pure functions of their arguments, so that they are the same for
// any number of threads and in any order.
//
// Everything is forced inline: SIMD units include this header, and an ordinary inline function
// would leave them as a weak symbol compiled for an ISA that not every processor has.
#pragma once
#include <cstdint>

namespace pyfm {

// Finalizers with full avalanche: Steele et al. 2014 (SplitMix64), Wellons 2018 (lowbias32).
[[gnu::always_inline]] inline constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

[[gnu::always_inline]] inline constexpr std::uint32_t mix32(std::uint32_t x) noexcept {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

[[gnu::always_inline]] inline constexpr std::uint64_t random_key(std::uint64_t seed,
                                                                 std::uint64_t stream) noexcept {
  return mix64(seed ^ mix64(stream));
}

// 32 bits. Cheap to vectorize over `position`.
[[gnu::always_inline]] inline constexpr std::uint32_t random_bits(std::uint64_t key,
                                                                  std::uint32_t position) noexcept {
  const std::uint32_t low = mix32(static_cast<std::uint32_t>(key) + position * 0x9e3779b9u);
  return mix32(low ^ static_cast<std::uint32_t>(key >> 32));
}

// Uniform on [0, 1), in steps of 2^-24.
[[gnu::always_inline]] inline constexpr float random_uniform(std::uint64_t key,
                                                             std::uint32_t position) noexcept {
  const auto bits = static_cast<std::int32_t>(random_bits(key, position) >> 8);
  return static_cast<float>(bits) * 0x1p-24f;
}

// Uniform on [0, n), n < 2^63, by a 64 x 64 -> 128 bit product (bias below n / 2^64).
[[gnu::always_inline]] inline std::uint64_t random_below(std::uint64_t key, std::uint64_t position,
                                                         std::uint64_t n) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{mix64(key + position)} * n) >> 64);
}

}  // namespace pyfm
