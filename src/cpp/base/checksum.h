// A fast checksum against damage, not against malice.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace pyfm {

// Of the bytes with zeros up to a multiple of 64, so that the zeros after a section of a file may
// be summed with it or not. Any change within one aligned word of 8 bytes changes it; others go
// unnoticed once in 2^64. The same on every machine.
std::uint64_t checksum(std::span<const std::byte> bytes) noexcept;

}  // namespace pyfm
