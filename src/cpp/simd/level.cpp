#include "simd/level.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace pyfm {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"portable", "sse2", "avx2", "avx512"};
constexpr int kUndecided = -1;
std::atomic<int> current{kUndecided};

bool usable(SimdLevel level) {
#ifdef PYFM_X86
  switch (level) {
    case SimdLevel::avx512:
#ifndef PYFM_AVX512
      return false;
#endif
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("fma");
    case SimdLevel::avx2:  // F16C is older than AVX2 and in every processor that has it
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    default:
      return true;
  }
#else
  return level == SimdLevel::portable;
#endif
}

SimdLevel find(std::string_view wanted, std::string_view source) {
  std::string usable_names;
  for (const SimdLevel level : simd_levels()) {
    if (name(level) == wanted) return level;
    usable_names += (usable_names.empty() ? "'" : ", '") + std::string(name(level)) + "'";
  }
  throw std::invalid_argument(std::string(source) + ": expected one of " + usable_names +
                              " (the levels of this build and processor), found '" +
                              std::string(wanted) + "'");
}

}  // namespace

std::string_view name(SimdLevel level) noexcept {
  return kNames[static_cast<std::size_t>(level)];
}

std::vector<SimdLevel> simd_levels() {
  std::vector<SimdLevel> levels;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (const auto level = static_cast<SimdLevel>(i); usable(level)) levels.push_back(level);
  return levels;
}

SimdLevel simd_level() {
  if (const int level = current.load(std::memory_order_relaxed); level != kUndecided)
    return static_cast<SimdLevel>(level);
  const char* forced = std::getenv("PYFM_SIMD");
  const SimdLevel level = forced && *forced ? find(forced, "PYFM_SIMD") : simd_levels().back();
  current.store(static_cast<int>(level), std::memory_order_relaxed);
  return level;
}

void set_simd_level(std::string_view name) {
  current.store(static_cast<int>(find(name, "SIMD level")), std::memory_order_relaxed);
}

}  // namespace pyfm
