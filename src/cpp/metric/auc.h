// Area under the ROC curve: the probability that a positive row is ranked above a negative one,
// ties counted half, rows counted by weight. NaN when a class is missing or a prediction is NaN.
#pragma once
#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "metric/metric.h"

namespace pyfm {

inline double auc(const MetricInput& in) {
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  if (std::ranges::any_of(in.prediction, [](double p) { return p != p; })) return undefined;
  std::vector<std::size_t> order(in.y.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return in.prediction[i]; });
  double won = 0, negatives_below = 0, positives_total = 0;
  for (std::size_t begin = 0; begin < order.size();) {  // one group of equal predictions
    double positives = 0, negatives = 0;
    std::size_t end = begin;
    for (; end < order.size() && in.prediction[order[end]] == in.prediction[order[begin]]; ++end)
      (in.y[order[end]] > 0 ? positives : negatives) += in.w(static_cast<Index>(order[end]));
    won += positives * (negatives_below + negatives / 2);
    negatives_below += negatives;
    positives_total += positives;
    begin = end;
  }
  const double pairs = positives_total * negatives_below;
  return pairs > 0 ? won / pairs : undefined;
}

}  // namespace pyfm
