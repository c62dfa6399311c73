// Share of rows whose class (1 where the prediction is above ½) is right.
#pragma once
#include "metric/metric.h"

namespace pyfm {

inline double accuracy(const MetricInput& in) {
  return weighted_mean(in, [](double y, double p) { return (p > 0.5) == (y > 0.5) ? 1.0 : 0.0; });
}

}  // namespace pyfm
