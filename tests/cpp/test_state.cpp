// The optimizers' state, in and out: models that are put together again go on alike.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "models.h"
#include "optim/params.h"

namespace pyfm {
namespace {

std::vector<FeatureId> features_of(const Model& model) {
  const auto all = model.rows().features().subspan(1);
  return {all.begin(), all.end()};
}

std::vector<float> state(Model& model, const ModelPart& p, const std::vector<FeatureId>& of) {
  const auto numbers = static_cast<std::size_t>(p.shape.n_fields * p.shape.n_factors);
  std::vector<float> found(of.size() * numbers * static_cast<std::size_t>(model.slots(p.part)));
  model.read_state(p.part, of, found.data());
  return found;
}

void copy(Model& from, Model& to) {
  const std::vector<FeatureId> features = features_of(from);
  to.add_empty_rows(features);
  for (const ModelPart& p : from.parts()) {
    const auto numbers = static_cast<std::size_t>(p.shape.n_fields * p.shape.n_factors);
    std::vector<float> weights(features.size() * numbers);
    from.read(p.part, features, weights.data());
    to.write(p.part, features, weights.data());
    to.write_state(p.part, features, state(from, p, features).data());
    std::ranges::copy(p.bias, to.find(p.part)->bias.begin());
  }
  to.bias_started = from.bias_started;
}

BOOST_AUTO_TEST_SUITE(optimizer_state)

BOOST_AUTO_TEST_CASE(a_copy_goes_on_alike) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Storage storage : kEveryStorage)
        for (const Index n_factors : {1, 5, 8})
          for (const Index batch_size : {1, 7, 0}) {
            const ModelSpec s = spec(kind, o, 5, n_factors, storage);
            const Dataset data = random_rows(s.n_fields);
            Model model(s), other(s);
            train_epoch(model, data, {0, true, 1, nullptr, batch_size});
            copy(model, other);
            for (Model* m : {&model, &other})
              train_epoch(*m, data, {1, true, 1, nullptr, batch_size});
            BOOST_REQUIRE(scores(model, data) == scores(other, data));
            const std::vector<FeatureId> features = features_of(model);
            BOOST_REQUIRE(features == features_of(other));
            for (const ModelPart& p : model.parts())
              BOOST_REQUIRE(state(model, p, features) == state(other, p, features));
          }
}

BOOST_AUTO_TEST_CASE(rows_are_added_in_order_and_once) {
  Model model(spec("fm", 0, 5, 4));
  const std::vector<FeatureId> order = {7, 2, 9};
  model.add_empty_rows(order);
  BOOST_CHECK(features_of(model) == order);
  for (const std::vector<FeatureId>& bad : {std::vector<FeatureId>{4, 2}, {4, 5, 4}}) {
    BOOST_CHECK_THROW(model.add_empty_rows(bad), std::invalid_argument);
    BOOST_CHECK(features_of(model) == order);
    for (const FeatureId j : {4u, 5u}) BOOST_CHECK(model.rows().row(j) == 0);
  }
}

BOOST_AUTO_TEST_CASE(features_without_rows_have_no_state) {
  Model model(spec("linear", 0, 5, 0));
  const std::vector<FeatureId> features = {3};
  float number = 0;
  BOOST_CHECK_THROW(model.read_state(Part::linear, features, &number), std::invalid_argument);
  BOOST_CHECK_THROW(model.write_state(Part::linear, features, &number), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_read_like_the_model_was) {
  const ModelSpec s = spec("ffm", 3, 5, 7);
  const Dataset data = random_rows(s.n_fields);
  Model model(s);
  Snapshot snapshot;
  std::vector<float> before(static_cast<std::size_t>(s.n_features * s.n_fields * s.n_factors)),
      kept(before);
  std::vector<FeatureId> features;
  for (Index j = 0; j < s.n_features; ++j) features.push_back(static_cast<FeatureId>(j));
  train_epoch(model, data.slice(0, 5), {0, true, 1, nullptr});
  model.read(Part::ffm, features, before.data());
  model.save(snapshot);
  train_epoch(model, data, {1, true, 1, nullptr});  // more features, other weights
  model.read(Part::ffm, features, kept.data(), &snapshot);
  BOOST_CHECK(before == kept);
  const Snapshot empty;
  BOOST_CHECK_THROW(model.read(Part::ffm, features, kept.data(), &empty), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
