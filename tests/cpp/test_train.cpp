// Whole models under the sanitizers: every model, optimizer and SIMD level, on sizes around the
// width of every vector. Values are compared from Python.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "models.h"

namespace pyfm {
namespace {

BOOST_AUTO_TEST_SUITE(training)

BOOST_AUTO_TEST_CASE(levels_learn_the_same) {
  for_models([](std::string_view kind, std::size_t o, Index n_fields, Index n_factors) {
    const Dataset data = random_rows(n_fields);
    std::vector<float> expected;
    for_levels([&] {
      Model model(spec(kind, o, n_fields, n_factors));
      for (Index epoch = 0; epoch < 2; ++epoch) train_epoch(model, data, {epoch, true, 1, nullptr});
      const std::vector<float> found = scores(model, data);
      if (expected.empty()) expected = found;
      for (std::size_t i = 0; i < found.size(); ++i)
        BOOST_REQUIRE(std::abs(found[i] - expected[i]) < 1e-4f);
    });
  });
}

BOOST_AUTO_TEST_CASE(batches_give_the_same_bits_on_any_number_of_threads) {
  for_models([](std::string_view kind, std::size_t o, Index n_fields, Index n_factors) {
    const Dataset data = repeated(random_rows(n_fields), 5);
    for (const Storage storage : kEveryStorage)
      for_levels([&] {
        std::vector<float> expected;
        for (const int n_threads : {1, 3}) {
          Model model(spec(kind, o, n_fields, n_factors, storage));
          for (const Index batch_size : {150, 7, 0})
            train_epoch(model, data, {batch_size, true, n_threads, nullptr, batch_size});
          const std::vector<float> found = scores(model, data);
          if (expected.empty()) expected = found;
          BOOST_REQUIRE(found == expected);
        }
      });
  });
}

BOOST_AUTO_TEST_CASE(a_snapshot_brings_the_weights_back) {
  for (const std::string_view kind : kModelKinds) {
    const Dataset data = random_rows(5);
    Model model(spec(kind, 1, 5, 4));
    train_epoch(model, data.slice(0, 5), {0, true, 1, nullptr});
    const std::vector<float> before = scores(model, data);
    Snapshot snapshot;
    model.save(snapshot);
    train_epoch(model, data, {1, true, 1, nullptr});
    BOOST_TEST(scores(model, data) != before);
    model.restore(snapshot);
    BOOST_TEST(scores(model, data) == before);
  }
}

BOOST_AUTO_TEST_CASE(an_optimizer_takes_other_parameters_of_its_own_kind_only) {
  const Dataset data = random_rows(5);
  Model model(spec("linear", 0, 5, 0)), same(spec("linear", 0, 5, 0));
  OptimizerSpec optimizer = *model.spec().linear_optimizer;
  optimizer.params.learning_rate = 0.3f;
  model.set_optimizer(Part::linear, optimizer);
  for (Model* m : {&model, &same}) train_epoch(*m, data, {0, true, 1, nullptr});
  BOOST_TEST(scores(model, data) != scores(same, data));
  optimizer.index = 1;
  BOOST_CHECK_THROW(model.set_optimizer(Part::linear, optimizer), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(weights_that_are_not_finite_are_found) {
  for (const Storage storage : kEveryStorage)
    for (const std::string_view kind : kModelKinds) {
      const Dataset data = random_rows(5);
      Model model(spec(kind, 1, 5, 3, storage));
      train_epoch(model, data, {0, true, 1, nullptr});
      for (const int n_threads : {1, 3}) BOOST_TEST(model.is_finite(n_threads));
      ModelPart& part = model.parts().back();
      const std::vector<FeatureId> features = {2};
      std::vector<float> weights(static_cast<std::size_t>(part.shape.n_fields) *
                                 static_cast<std::size_t>(part.shape.n_factors));
      model.read(part.part, features, weights.data());
      weights.back() = std::numeric_limits<float>::quiet_NaN();
      model.write(part.part, features, weights.data());
      for (const int n_threads : {1, 3}) BOOST_TEST(!model.is_finite(n_threads));
    }
}

BOOST_AUTO_TEST_CASE(threads_find_the_one_row_that_is_not_finite) {
  ModelSpec s = spec("linear", 1, 5, 0);
  s.n_features = 1000;
  std::vector<FeatureId> features(1000);
  std::iota(features.begin(), features.end(), 0u);
  for (const std::size_t j : {0, 500, 999}) {
    Model model(s);
    std::vector<float> weights(features.size(), 1.0f);
    model.write(Part::linear, features, weights.data());
    for (const int n_threads : {1, 2, 5}) BOOST_TEST(model.is_finite(n_threads));
    weights[j] = -std::numeric_limits<float>::infinity();
    model.write(Part::linear, features, weights.data());
    for (const int n_threads : {1, 2, 5}) BOOST_TEST(!model.is_finite(n_threads));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
