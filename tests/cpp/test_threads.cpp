// Training on several threads, which have copies of the rows that many examples hold.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string_view>
#include <vector>

#include "models.h"

namespace pyfm {
namespace {

bool is_finite(Model& model, const Dataset& data) {
  for (const float score : scores(model, data, 3))
    if (!std::isfinite(score)) return false;
  return true;
}

BOOST_AUTO_TEST_SUITE(threads)

// 2000 examples, no multiple of a block, that share 15 features: all rows are hot.
BOOST_AUTO_TEST_CASE(several_threads_train_one_model) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Storage storage : kEveryStorage) {
        const Dataset data = repeated(random_rows(5), 50);
        ModelSpec settings = spec(kind, o, 5, 4, storage);
        for (auto* optimizer : {&settings.linear_optimizer, &settings.factor_optimizer})
          if (*optimizer) {
            OptimizerParams& params = (*optimizer)->params;
            // Cut gradients, equal for both labels, lead away from the least loss.
            params.clip_value = params.clip_norm = OptimizerParams{}.clip_value;
          }
        Model model(settings);
        const double first = train_epoch(model, data, {0, true, 3, nullptr}).loss;
        double last = first;
        for (Index epoch = 1; epoch < 5; ++epoch)
          last = train_epoch(model, data, {epoch, true, 3, nullptr}).loss;
        BOOST_TEST(last < first);
        BOOST_TEST(is_finite(model, data));
      }
}

BOOST_AUTO_TEST_CASE(every_level_merges) {
  for_levels([] {
    for (const std::string_view kind : kModelKinds)
      for (std::size_t o = 0; o < optimizers().size(); ++o)
        for (const Storage storage : kEveryStorage)
          for (const Index n_factors : {1, 4, 11, 16}) {
            const Dataset data = repeated(random_rows(6), 10);
            Model model(spec(kind, o, 6, n_factors, storage));
            for (Index epoch = 0; epoch < 2; ++epoch)
              train_epoch(model, data, {epoch, true, 3, nullptr});
            BOOST_REQUIRE(is_finite(model, data));
          }
  });
}

// More threads than blocks, than rows, and no rows at all.
BOOST_AUTO_TEST_CASE(idle_threads_change_nothing) {
  for (const Index n_rows : {0, 1, 40, 128, 129}) {
    const Dataset data = repeated(random_rows(5), 4).slice(0, n_rows);
    Model one(spec("ffm", 1, 5, 4)), many(spec("ffm", 1, 5, 4));
    train_epoch(one, data, {0, true, 1, nullptr});
    train_epoch(many, data, {0, true, 8, nullptr});
    const std::vector<float> expected = scores(one, data), found = scores(many, data);
    BOOST_REQUIRE(is_finite(many, data));
    for (std::size_t i = 0; i < expected.size() && n_rows <= 128; ++i)  // one block: one thread
      BOOST_REQUIRE(std::abs(found[i] - expected[i]) < 1e-5f);
  }
}

// What was hot is gone: copies are never of rows that the tables do not have.
BOOST_AUTO_TEST_CASE(hot_rows_that_a_snapshot_took_away) {
  const Dataset data = repeated(random_rows(5), 50);
  Model model(spec("ffm", 2, 5, 4));
  Snapshot none;
  model.save(none);
  train_epoch(model, data, {0, true, 3, nullptr});
  BOOST_TEST(!model.hot.empty());
  model.restore(none);
  const std::vector<FeatureId> features = {11, 3};
  const float weights[] = {1, 2};
  model.write(Part::linear, features, weights);
  train_epoch(model, data.slice(0, 2), {1, true, 3, nullptr});
  BOOST_TEST(is_finite(model, data));
  BOOST_TEST(static_cast<Index>(model.hot.size()) < model.rows().n_rows());
}

BOOST_AUTO_TEST_CASE(what_polling_throws_ends_the_epoch) {
  const Dataset data = repeated(random_rows(17), 20'000);  // longer than the time between calls
  for (const Storage storage : kEveryStorage) {
    Model model(spec("ffm", 1, 17, 16, storage));
    struct Stop {};
    const auto train_for_ever = [&] {
      for (Index epoch = 0;; ++epoch)
        train_epoch(model, data, {epoch, false, 2, [](Index) { throw Stop(); }});
    };
    BOOST_CHECK_THROW(train_for_ever(), Stop);
    BOOST_TEST(is_finite(model, data.slice(0, 1000)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
