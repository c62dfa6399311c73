// A fast checksum against damage, not against malice.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pyfm {

// Of the bytes with zeros up to a multiple of 64, so that the zeros after a section of a file may
// be summed with it or not. Any change within one aligned word of 8 bytes changes it; others go
// unnoticed once in 2^64. The same on every machine.
std::uint64_t checksum(std::span<const std::byte> bytes) noexcept;

// The same of bytes that come in pieces of any size.
class Checksum {
 public:
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kBlock = kLanes * sizeof(std::uint64_t);
  using Lanes = std::array<std::uint64_t, kLanes>;

  Checksum() noexcept;
  void add(std::span<const std::byte> bytes) noexcept;
  std::uint64_t value() const noexcept;  // of all bytes so far

 private:
  Lanes lanes_;
  std::array<std::byte, kBlock> rest_{};  // what is no whole block yet
  std::size_t n_rest_ = 0;
};

}  // namespace pyfm
