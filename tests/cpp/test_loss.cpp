// Losses: known values, slopes by differences, and scores far from the ordinary.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "loss/loss.h"
#include "loss/loss_sum.h"

namespace pyfm {
namespace {

BOOST_AUTO_TEST_SUITE(losses_of_scores)

BOOST_AUTO_TEST_CASE(logistic_at_known_points) {
  const Loss& loss = find_loss("logistic");
  BOOST_TEST(loss.value(0, 1).loss() == std::log(2.0), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(loss.value(0, 1).dscore == -0.5f);
  BOOST_TEST(loss.value(0, 0).dscore == 0.5f);
  BOOST_TEST(loss.inverse_link(0) == 0.5);
  BOOST_TEST(loss.inverse_link(1) == 1 / (1 + std::exp(-1.0)), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(squared_at_known_points) {
  const Loss& loss = find_loss("squared");
  BOOST_TEST(loss.value(3, 1).loss() == 2);
  BOOST_TEST(loss.value(3, 1).dscore == 2);
  BOOST_TEST(loss.inverse_link(-7) == -7);
}

BOOST_AUTO_TEST_CASE(slopes_are_those_of_the_loss) {
  constexpr float step = 1.0f / 64;  // error of the difference: step² / 6 times f''' < 0.1
  for (const Loss& loss : losses())
    for (const float y : {0.0f, 0.3f, 1.0f})
      for (float s = -6; s < 6; s += 0.37f) {
        const double slope =
            (loss.value(s + step, y).loss() - loss.value(s - step, y).loss()) / (2 * step);
        BOOST_TEST(std::abs(slope - static_cast<double>(loss.value(s, y).dscore)) < 5e-5);
      }
}

BOOST_AUTO_TEST_CASE(extreme_scores_have_finite_losses) {
  const Loss& loss = find_loss("logistic");
  for (const float s : {-1e4f, -100.0f, 100.0f, 1e4f})
    for (const float y : {0.0f, 1.0f}) {
      const LossValue value = loss.value(s, y);
      const bool right = (s > 0) == (y == 1);
      BOOST_TEST(std::abs(value.loss() - (right ? 0.0 : std::abs(s))) < 1e-3);
      BOOST_TEST(std::abs(value.dscore - (right ? 0.0f : y == 1 ? -1.0f : 1.0f)) < 1e-6f);
      BOOST_TEST(std::isfinite(loss.inverse_link(s)));
    }
  BOOST_TEST(loss.inverse_link(-1e4f) == 0.0);
  BOOST_TEST(loss.inverse_link(1e4f) == 1.0);
}

BOOST_AUTO_TEST_CASE(the_tails_keep_their_digits) {
  const Loss& loss = find_loss("logistic");
  BOOST_TEST(loss.inverse_link(-40) == std::exp(-40.0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(loss.value(-40, 0).loss() == std::exp(-40.0), boost::test_tools::tolerance(1e-6));
}

// More rows than a product takes, in pieces, and of several threads.
BOOST_AUTO_TEST_CASE(sums_are_those_of_the_losses) {
  const Loss& loss = find_loss("logistic");
  LossSum all, first, second;
  double expected = 0, weights = 0;
  for (int i = 0; i < 5000; ++i) {
    const float s = 8 * std::sin(static_cast<float>(i)), y = static_cast<float>(i % 2);
    const float weight = i % 7 == 0 ? 0.25f : i % 11 == 0 ? 0.0f : 1.0f;
    const LossValue value = loss.value(s, y);
    all.add(weight, value);
    (i < 1234 ? first : second).add(weight, value);
    expected += static_cast<double>(weight) * value.loss();
    weights += static_cast<double>(weight);
  }
  first.add(second);
  BOOST_TEST(all.loss() == expected, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(first.loss() == expected, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(all.weight() == weights);
  BOOST_TEST(all.mean() == expected / weights, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(LossSum().mean() == 0);
}

BOOST_AUTO_TEST_CASE(sums_of_what_is_not_finite_are_not_finite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    LossSum sum;
    for (const float score : {0.0f, bad, 0.0f}) sum.add(1, find_loss("logistic").value(score, 0));
    BOOST_TEST(!std::isfinite(sum.loss()));
  }
}

BOOST_AUTO_TEST_CASE(domains) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Loss& logistic = find_loss("logistic");
  for (const float y : {0.0f, 0.05f, 1.0f}) BOOST_TEST(logistic.in_domain(y));
  for (const float y : {-1.0f, -1e-6f, 1.000001f, 2.0f, nan}) BOOST_TEST(!logistic.in_domain(y));
  const Loss& squared = find_loss("squared");
  BOOST_TEST(squared.in_domain(-1e6f));
  BOOST_TEST(!squared.in_domain(nan));
  BOOST_TEST(!squared.in_domain(std::numeric_limits<float>::infinity()));
}

BOOST_AUTO_TEST_CASE(an_unknown_loss_is_an_error) {
  BOOST_CHECK_THROW(find_loss("hinge"), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
