#include "metric/metric.h"

#include "metric/accuracy.h"
#include "metric/auc.h"
#include "metric/logloss.h"
#include "metric/rmse.h"

namespace pyfm {

namespace {
constexpr Metric kMetrics[] = {
    {"logloss", logloss, false},
    {"auc", auc, true},
    {"rmse", rmse, false},
    {"accuracy", accuracy, true},
};
}

std::span<const Metric> metrics() noexcept {
  return kMetrics;
}

}  // namespace pyfm
