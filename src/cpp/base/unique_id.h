// Numbers by which objects are told apart in one process.
#pragma once
#include <cstdint>

namespace pyfm {

// 1, 2, …: never the same one twice.
std::uint64_t unique_id() noexcept;

}  // namespace pyfm
