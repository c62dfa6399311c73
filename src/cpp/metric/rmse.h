// Root of the mean squared error.
#pragma once
#include <cmath>

#include "metric/metric.h"

namespace pyfm {

inline double rmse(const MetricInput& in) {
  return std::sqrt(weighted_mean(in, [](double y, double p) { return (y - p) * (y - p); }));
}

}  // namespace pyfm
