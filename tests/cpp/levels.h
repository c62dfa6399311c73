// SIMD levels that the tests run on.
#pragma once
#include "simd/level.h"

namespace pyfm {

// Calls f on every level.
template <class F>
void for_levels(F&& f) {
  const SimdLevel before = simd_level();
  for (const SimdLevel level : simd_levels()) {
    set_simd_level(name(level));
    f();
  }
  set_simd_level(name(before));
}

}  // namespace pyfm
