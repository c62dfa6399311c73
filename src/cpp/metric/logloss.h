// Log-loss: mean of -(y log p + (1 - y) log(1 - p)), p kept within [ε, 1 - ε].
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "metric/metric.h"

namespace pyfm {

inline double logloss(const MetricInput& in) {
  constexpr double eps = std::numeric_limits<double>::epsilon();
  return weighted_mean(in, [=](double y, double p) {
    p = std::clamp(p, eps, 1 - eps);
    return -(y * std::log(p) + (1 - y) * std::log1p(-p));
  });
}

}  // namespace pyfm
