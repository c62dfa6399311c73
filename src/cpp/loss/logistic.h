// Logistic loss for y in [0, 1]: log(1 + exp(s)) - y s. Derivative: sigmoid(s) - y.
// Between 0 and 1, y is the probability of a click: smoothed labels.
#pragma once
#include <cmath>

#include "loss/loss.h"

namespace pyfm {

inline double sigmoid(float score) noexcept {
  const double e = std::exp(-std::fabs(static_cast<double>(score)));
  return score >= 0 ? 1 / (1 + e) : e / (1 + e);
}

// exp is only taken of negative numbers: no overflow, and both tails keep their digits.
// Its one result serves the loss and the derivative.
inline LossValue logistic(float score, float y) noexcept {
  const float e = std::exp(-std::fabs(score));
  const float p = (score >= 0 ? 1.0f : e) / (1.0f + e);
  // 1 + e is exact enough in double precision, and its logarithm is faster than log1p.
  return {{(score > 0 ? score : 0.0f) - y * score, 1 + static_cast<double>(e)}, p - y};
}

inline constexpr Loss kLogistic = {"logistic", logistic, sigmoid,
                                   [](float y) noexcept { return y >= 0 && y <= 1; }, "[0, 1]"};

}  // namespace pyfm
