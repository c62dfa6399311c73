// The SIMD level in force: the best that the processor runs, unless PYFM_SIMD or the API says less.
#pragma once
#include <string_view>
#include <vector>

namespace pyfm {

enum class SimdLevel { portable, sse2, avx2, avx512 };

std::string_view name(SimdLevel level) noexcept;

// Levels that this build has and this processor runs, slowest first.
std::vector<SimdLevel> simd_levels();

// Throws std::invalid_argument when PYFM_SIMD names no usable level.
SimdLevel simd_level();

// Throws std::invalid_argument that lists the usable levels.
void set_simd_level(std::string_view name);

}  // namespace pyfm
