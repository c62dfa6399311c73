// Metrics of predictions against targets: (y, prediction, weight) -> double.
#pragma once
#include <span>
#include <string_view>

#include "base/types.h"

namespace pyfm {

struct MetricInput {
  std::span<const float> y;
  std::span<const double> prediction;  // on the scale of y
  std::span<const float> weight;       // empty: all 1

  Index size() const noexcept { return static_cast<Index>(y.size()); }
  double w(Index i) const noexcept {
    return weight.empty() ? 1.0 : weight[static_cast<std::size_t>(i)];
  }
};

struct Metric {
  std::string_view name;
  double (*value)(const MetricInput&);  // NaN where it is not defined
  bool greater_is_better;
};

std::span<const Metric> metrics() noexcept;

// Σ weight × term(y, prediction) / Σ weight.
template <class F>
double weighted_mean(const MetricInput& in, F&& term) {
  double sum = 0, weights = 0;
  for (Index i = 0; i < in.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    sum += in.w(i) * term(static_cast<double>(in.y[at]), in.prediction[at]);
    weights += in.w(i);
  }
  return sum / weights;
}

}  // namespace pyfm
