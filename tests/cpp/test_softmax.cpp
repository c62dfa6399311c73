// The softmax loss, and models with a score for each class.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "loss/row_loss.h"
#include "models.h"
#include "train/stream.h"

namespace pyfm {
namespace {

constexpr std::size_t kClasses = 3;

template <class F>
void for_softmax_models(F&& f) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Storage storage : kEveryStorage) {
        ModelSpec s = spec(kind, o, 5, 4, storage);
        s.loss = RowLoss::kSoftmax, s.n_outputs = kClasses;
        f(s);
      }
}

double loss_of(std::vector<float> scores, std::size_t y) {
  return softmax(scores, y);
}

BOOST_AUTO_TEST_SUITE(several_scores)

BOOST_AUTO_TEST_CASE(slopes_are_those_of_the_loss) {
  constexpr float step = 1.0f / 64;  // error of the difference: step² / 6 times a derivative < 0.2
  const std::vector<float> scores = {0.5f, -1.25f, 2.0f, 0.0f};
  for (std::size_t y = 0; y < scores.size(); ++y) {
    std::vector<float> slopes = scores;
    softmax(slopes, y);
    for (std::size_t c = 0; c < scores.size(); ++c) {
      std::vector<float> above = scores, below = scores;
      above[c] += step, below[c] -= step;
      const double slope = (loss_of(above, y) - loss_of(below, y)) / (2 * step);
      BOOST_TEST(std::abs(slope - static_cast<double>(slopes[c])) < 5e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(two_scores_are_the_logistic_loss_of_their_difference) {
  const Loss& logistic = find_loss("logistic");
  for (const float s : {-40.0f, -3.0f, 0.0f, 0.5f, 20.0f})
    for (const std::size_t y : {0u, 1u}) {
      std::vector<float> scores = {1.0f, 1.0f + s};
      const LossValue expected = logistic.value(s, static_cast<float>(y));
      const double loss = softmax(scores, y), away = y == 1 ? -s : s;
      const double exact = std::log1p(std::exp(-std::abs(away))) + std::max(away, 0.0);
      BOOST_TEST(std::abs(loss - exact) <= 1e-6 * exact);  // logistic() rounds it to 0 at 20
      BOOST_TEST(std::abs(scores[1] - expected.dscore) < 1e-7f);
      BOOST_TEST(std::abs(scores[0] + scores[1]) < 1e-7f);
    }
}

BOOST_AUTO_TEST_CASE(extreme_scores) {
  std::vector<float> scores = {1e30f, -1e30f, 0.0f};
  std::vector<double> p(3);
  softmax_probabilities(scores, p.data());
  BOOST_TEST(p[0] == 1.0);
  BOOST_TEST(softmax(scores, 0) == 0.0);
  BOOST_TEST(scores[0] == 0.0f);
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), inf})
    for (std::size_t at = 0; at < 3; ++at) {
      std::vector<float> broken(3);
      broken[at] = bad;
      BOOST_TEST(!std::isfinite(softmax(broken, 0)));
    }
  // A class that is all but certain keeps the digits of what is left.
  scores = {40.0f, 0.0f};
  const double left = std::exp(-40.0);
  BOOST_TEST(std::abs(softmax(scores, 0) / left - 1) < 1e-6);
  BOOST_TEST(std::abs(static_cast<double>(scores[0]) / -left - 1) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_loss_of_a_row) {
  const RowLoss one("logistic", 1), several(RowLoss::kSoftmax, 3);
  for (const float y : {0.0f, 1.0f, 2.0f}) BOOST_TEST(several.in_domain(y));
  for (const float y : {-1.0f, 0.5f, 3.0f, std::numeric_limits<float>::quiet_NaN()})
    BOOST_TEST(!several.in_domain(y));
  BOOST_TEST(one.in_domain(0.5f));
  BOOST_TEST(several.domain() == "classes 0 to 2");
  BOOST_CHECK_THROW(RowLoss("logistic", 2), std::invalid_argument);
  BOOST_CHECK_THROW(RowLoss(RowLoss::kSoftmax, 1), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(models_learn_on_any_number_of_threads) {
  for_softmax_models([](const ModelSpec& s) {
    const Dataset data = repeated(random_rows(5), 10);
    for (const Index batch_size : {1, 32}) {
      Model one(s), several(s);
      for (Index epoch = 0; epoch < 2; ++epoch) {
        train_epoch(one, data, {epoch, true, 1, nullptr, batch_size});
        train_epoch(several, data, {epoch, true, 3, nullptr, batch_size});
      }
      BOOST_REQUIRE((one.is_finite(1) && several.is_finite(3)));
      if (batch_size > 1) BOOST_REQUIRE(scores(one, data) == scores(several, data, 3));
      std::vector<double> p(static_cast<std::size_t>(data.n_rows()) * kClasses);
      predict(one, data, 2, nullptr, p);
      for (auto row = p.begin(); row != p.end(); row += kClasses)
        BOOST_REQUIRE(std::abs(std::accumulate(row, row + kClasses, 0.0) - 1) < 1e-12);
    }
  });
}

BOOST_AUTO_TEST_CASE(snapshots_and_streams) {
  for_softmax_models([](const ModelSpec& s) {
    const Dataset data = random_rows(5);
    Model model(s);
    std::vector<float> progressive(static_cast<std::size_t>(data.n_rows()) * kClasses);
    learn(model, data, {}, progressive);
    const std::vector<float> before = scores(model, data);
    Snapshot snapshot;
    model.save(snapshot);
    StreamOptions options;
    options.batch_size = 8;
    learn(model, data, options, progressive);
    BOOST_REQUIRE(scores(model, data) != before);
    model.restore(snapshot);
    BOOST_REQUIRE(scores(model, data) == before);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
