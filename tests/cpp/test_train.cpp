// Whole models under the sanitizers: every model, optimizer and SIMD level, on sizes around the
// width of every vector. Values are compared from Python.
#include <boost/test/unit_test.hpp>
#include <cmath>
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
