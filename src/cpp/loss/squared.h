// Squared loss: (s - y)² / 2. Derivative: s - y.
#pragma once
#include <cmath>

#include "loss/loss.h"

namespace pyfm {

inline LossValue squared(float score, float y) noexcept {
  const float d = score - y;
  return {{0.5 * static_cast<double>(d) * d}, d};
}

inline constexpr Loss kSquared = {
    "squared", squared, [](float score) noexcept { return static_cast<double>(score); },
    [](float y) noexcept { return std::isfinite(y); }, "finite numbers"};

}  // namespace pyfm
