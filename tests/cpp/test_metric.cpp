// Metrics at the corners; their agreement with the oracles is tested from Python.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "metric/metric.h"

namespace pyfm {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

double metric(std::string_view name, const Floats& y, const Doubles& prediction,
              const Floats& weight = {}) {
  for (const Metric& m : metrics())
    if (m.name == name) return m.value({y, prediction, weight});
  BOOST_FAIL("no such metric");
  return 0;
}

BOOST_AUTO_TEST_SUITE(metric_values)

BOOST_AUTO_TEST_CASE(auc_counts_ties_half) {
  BOOST_TEST(metric("auc", {0, 1}, {0.1, 0.9}) == 1);
  BOOST_TEST(metric("auc", {0, 1}, {0.9, 0.1}) == 0);
  BOOST_TEST(metric("auc", {0, 1}, {0.5, 0.5}) == 0.5);
  BOOST_TEST(metric("auc", {1, 0, 1, 0}, {0.1, 0.1, 0.2, 0.0}) == 0.875);
}

BOOST_AUTO_TEST_CASE(auc_counts_rows_by_weight) {
  // Pairs won: 2 × 3 of (2 + 1) × 3.
  BOOST_TEST(metric("auc", {1, 1, 0}, {0.9, 0.1, 0.5}, {2, 1, 3}) == 2.0 / 3);
  BOOST_TEST(metric("auc", {1, 1, 0}, {0.9, 0.1, 0.5}, {1, 0, 1}) == 1);
}

BOOST_AUTO_TEST_CASE(auc_is_undefined_without_both_classes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(std::isnan(metric("auc", {}, {})));
  BOOST_TEST(std::isnan(metric("auc", {1, 1}, {0.1, 0.2})));
  BOOST_TEST(std::isnan(metric("auc", {1, 0}, {0.1, 0.2}, {1, 0})));
  BOOST_TEST(std::isnan(metric("auc", {1, 0}, {0.1, nan})));
}

BOOST_AUTO_TEST_CASE(logloss_stays_finite) {
  BOOST_TEST(metric("logloss", {1}, {0.5}) == std::log(2.0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(metric("logloss", {1, 0}, {1.0, 0.0}) < 1e-15);
  BOOST_TEST(std::isfinite(metric("logloss", {1, 0}, {0.0, 1.0})));
  BOOST_TEST(metric("logloss", {1, 1}, {0.5, 0.25}, {0, 2}) == std::log(4.0),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(rmse_and_accuracy) {
  BOOST_TEST(metric("rmse", {1, 3}, {2, 5}) == std::sqrt(2.5));
  BOOST_TEST(metric("rmse", {1, 3}, {2, 5}, {3, 0}) == 1);
  BOOST_TEST(metric("accuracy", {1, 0, 1, 0}, {0.9, 0.1, 0.2, 0.5}) == 0.75);
}

BOOST_AUTO_TEST_CASE(no_rows_have_no_mean) {
  for (const char* name : {"logloss", "rmse", "accuracy"})
    BOOST_TEST(std::isnan(metric(name, {}, {})));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
