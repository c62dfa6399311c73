// Whole models under the sanitizers: every model, optimizer and SIMD level, on sizes around the
// width of every vector, and on several threads. Values are compared from Python.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"
#include "simd/level.h"
#include "train/predictor.h"
#include "train/trainer.h"

namespace pyfm {
namespace {

constexpr Index kRows = 40;
constexpr Index kPerField = 3;

struct Rows {
  std::vector<Index> indptr = {0};
  std::vector<FeatureId> features;
  std::vector<FieldId> fields;
  std::vector<float> values, y;
};

// Rows of every shape: full, empty, with fields missing or several times, zeros and duplicates.
Dataset random_rows(Index n_fields) {
  const auto rows = std::make_shared<Rows>();
  const std::uint64_t key = random_key(3, static_cast<std::uint64_t>(n_fields));
  std::uint64_t at = 0;
  for (Index i = 0; i < kRows; ++i) {
    for (Index e = 0; e < i % (n_fields + 3); ++e) {
      const bool in_order = i % 2 == 0 && e < n_fields;
      const auto field = in_order ? static_cast<std::uint64_t>(e)
                                  : random_below(key, at++, static_cast<std::uint64_t>(n_fields));
      rows->fields.push_back(static_cast<FieldId>(field));
      rows->features.push_back(
          static_cast<FeatureId>(field * kPerField + random_below(key, at++, kPerField)));
      rows->values.push_back(static_cast<float>(random_below(key, at++, 3)) - 1);
    }
    rows->indptr.push_back(static_cast<Index>(rows->features.size()));
    rows->y.push_back(static_cast<float>(i % 3 == 0));
  }
  DatasetBuffers b;
  b.indptr = rows->indptr, b.features = rows->features, b.fields = rows->fields;
  b.values = rows->values, b.y = rows->y;
  b.n_rows = kRows, b.n_features = n_fields * kPerField, b.n_fields = n_fields;
  b.owner = rows;
  return Dataset(b);
}

Dataset repeated(const Dataset& data, Index times) {
  std::vector<Index> rows;
  for (Index i = 0; i < times * data.n_rows(); ++i) rows.push_back(i % data.n_rows());
  return data.take(rows);
}

ModelSpec spec(std::string_view kind, std::size_t optimizer, Index n_fields, Index n_factors) {
  OptimizerSpec o;
  o.index = optimizer;
  o.params = {.learning_rate = 0.1f, .l1 = 0.01f, .l2 = 0.01f, .beta = 1, .initial_accumulator = 1};
  ModelSpec s;
  s.kind = kind, s.loss = "logistic";
  s.n_features = n_fields * kPerField, s.n_fields = n_fields;
  s.n_factors = kind == "linear" ? 0 : n_factors;
  s.normalize = true;
  s.linear_optimizer = s.factor_optimizer = o;
  return s;
}

std::vector<float> scores(Model& model, const Dataset& data) {
  std::vector<float> found(static_cast<std::size_t>(data.n_rows()));
  decision_function(model, data, 2, nullptr, found);
  return found;
}

// Calls f for every model, optimizer and size.
template <class F>
void for_models(F&& f) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Index n_fields : {1, 2, 5, 17})
        for (const Index n_factors : {1, 4, 7, 8, 16, 17}) f(kind, o, n_fields, n_factors);
}

BOOST_AUTO_TEST_SUITE(training)

BOOST_AUTO_TEST_CASE(levels_learn_the_same) {
  const SimdLevel before = simd_level();
  for_models([](std::string_view kind, std::size_t o, Index n_fields, Index n_factors) {
    const Dataset data = random_rows(n_fields);
    std::vector<float> expected;
    for (const SimdLevel level : simd_levels()) {
      set_simd_level(name(level));
      Model model(spec(kind, o, n_fields, n_factors));
      for (Index epoch = 0; epoch < 2; ++epoch) train_epoch(model, data, {epoch, true, 1, nullptr});
      const std::vector<float> found = scores(model, data);
      if (expected.empty()) expected = found;
      for (std::size_t i = 0; i < found.size(); ++i)
        BOOST_REQUIRE(std::abs(found[i] - expected[i]) < 1e-4f);
    }
  });
  set_simd_level(name(before));
}

BOOST_AUTO_TEST_CASE(several_threads_train_one_model) {
  for (const std::string_view kind : kModelKinds) {
    const Dataset data = repeated(random_rows(5), 50);
    Model model(spec(kind, 1, 5, 4));
    const double first = train_epoch(model, data, {0, true, 3, nullptr}).loss;
    double last = first;
    for (Index epoch = 1; epoch < 5; ++epoch)
      last = train_epoch(model, data, {epoch, true, 3, nullptr}).loss;
    BOOST_TEST(last < first);
    for (const float score : scores(model, data)) BOOST_REQUIRE(std::isfinite(score));
  }
}

BOOST_AUTO_TEST_CASE(what_polling_throws_ends_the_epoch) {
  const Dataset data = repeated(random_rows(17), 20'000);  // longer than the time between calls
  Model model(spec("ffm", 1, 17, 16));
  struct Stop {};
  const auto train_for_ever = [&] {
    for (Index epoch = 0;; ++epoch)
      train_epoch(model, data, {epoch, false, 2, [](Index) { throw Stop(); }});
  };
  BOOST_CHECK_THROW(train_for_ever(), Stop);
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
