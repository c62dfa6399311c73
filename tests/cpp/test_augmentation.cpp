// Augmented rows, one by one; what training makes of them is compared from Python.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/augmentation.h"
#include "models.h"

namespace pyfm {
namespace {

BOOST_AUTO_TEST_SUITE(augmentation)

constexpr Index kFields = 4;

// Feature f of field f, of value 1.
struct PlainRow {
  std::vector<FeatureId> features = {0, 1, 2, 3};
  Row row() const { return {features.data(), nullptr, nullptr, kFields}; }
};

std::vector<FeatureId> features_of(const Row& row) {
  return {row.features, row.features + row.size};
}

BOOST_AUTO_TEST_CASE(entries_vanish_and_the_fields_of_the_others_stay) {
  const Augmentation a{.feature_dropout = 0.5};
  const Augmenter augmenter(a, 1, 0);
  const PlainRow plain;
  RowBuffer buffer(kFields);
  std::size_t whole = 0, empty = 0;
  for (Index place = 0; place < 1000; ++place) {
    const Row row = augmenter.row(plain.row(), place, buffer);
    BOOST_TEST(row.values == nullptr);
    for (Index e = 0; e < row.size; ++e) {
      BOOST_TEST(row.field(e) == row.features[e]);
      BOOST_TEST(!augmenter.replacement(place, row.features[e], row.field(e)).has_value());
    }
    BOOST_TEST((row.fields == nullptr) == (row.size == kFields));
    whole += row.size == kFields;
    empty += row.size == 0;
  }
  BOOST_TEST(whole > 30u);  // 1000 / 16 = 62.5 ± 7.7
  BOOST_TEST(whole < 100u);
  BOOST_TEST(empty > 30u);
  BOOST_TEST(empty < 100u);
}

BOOST_AUTO_TEST_CASE(unknowns_keep_the_layout) {
  const Augmentation a{.feature_dropout = 0.5, .unknown = {10, 11, 12, 13}};
  const Augmenter augmenter(a, 1, 0);
  const PlainRow plain;
  RowBuffer buffer(kFields);
  for (Index place = 0; place < 100; ++place) {
    const Row row = augmenter.row(plain.row(), place, buffer);
    BOOST_TEST(row.size == kFields);
    BOOST_TEST(row.fields == nullptr);
    for (Index e = 0; e < row.size; ++e) {
      const Index f = row.field(e);
      const bool dropped = augmenter.replacement(place, e, row.field(e)).has_value();
      BOOST_TEST(Index{row.features[e]} == (dropped ? 10 + f : f));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_row_at_the_same_place_of_the_same_epoch) {
  const Augmentation a{.feature_dropout = 0.3};
  const PlainRow plain;
  RowBuffer one(kFields), two(kFields);
  int others = 0;
  for (Index place = 0; place < 200; ++place) {
    const auto features = features_of(Augmenter(a, 5, 2).row(plain.row(), place, one));
    BOOST_TEST(features == features_of(Augmenter(a, 5, 2).row(plain.row(), place, two)));
    others += features != features_of(Augmenter(a, 5, 3).row(plain.row(), place, two));
    others += features != features_of(Augmenter(a, 6, 2).row(plain.row(), place, two));
    others += features != features_of(Augmenter(a, 5, 2).row(plain.row(), place + 1, two));
  }
  BOOST_TEST(others > 400);
}

BOOST_AUTO_TEST_CASE(noise_stays_in_its_fields_and_finite) {
  const Augmentation a{.value_noise = 1e30, .is_numeric = {false, true, true}};
  const Augmenter augmenter(a, 1, 0);
  const PlainRow plain;
  const std::vector<float> values = {1e30f, std::numeric_limits<float>::max(), 0, -1};
  RowBuffer buffer(kFields);
  for (Index place = 0; place < 100; ++place) {
    const Row row =
        augmenter.row({plain.features.data(), nullptr, values.data(), kFields}, place, buffer);
    BOOST_TEST(row.values[0] == values[0]);
    BOOST_TEST(std::abs(row.values[1]) <= std::numeric_limits<float>::max());
    BOOST_TEST(row.values[2] == 0);
    BOOST_TEST(row.values[3] == -1);
  }
}

BOOST_AUTO_TEST_CASE(rows_of_every_shape_fit_into_the_buffer) {
  const Dataset data = random_rows(5);
  const Augmentation a{.feature_dropout = 0.3, .unknown = {1, -1, 2, -1, 3}, .value_noise = 0.5};
  RowBuffer buffer(data.max_row_nnz());
  for (Index epoch = 0; epoch < 5; ++epoch) {
    const Augmenter augmenter(a, 1, epoch);
    for (Index i = 0; i < data.n_rows(); ++i) {
      const Row before = data.row(i), row = augmenter.row(before, i, buffer);
      BOOST_TEST(row.size <= before.size);
      for (Index e = 0; e < row.size; ++e) {
        BOOST_TEST(Index{row.features[e]} < data.n_features());
        BOOST_TEST(std::isfinite(row.value(e)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(models_train_on_augmented_rows) {
  const Augmentation a{
      .feature_dropout = 0.3, .unknown = {1, -1, 2, -1, 3}, .value_noise = 0.5, .bootstrap = true};
  const Dataset data = repeated(random_rows(5), 5);
  for (const std::string_view kind : kModelKinds)
    for_levels([&] {
      for (const Index batch_size : {1, 30, 0}) {
        std::vector<float> expected;
        for (const int n_threads : {1, 3}) {
          Model model(spec(kind, 1, 5, 4));
          for (Index epoch = 0; epoch < 2; ++epoch)
            train_epoch(model, data, {epoch, true, n_threads, nullptr, batch_size, &a});
          const std::vector<float> found = scores(model, data);
          for (const float score : found) BOOST_REQUIRE(std::isfinite(score));
          if (expected.empty()) expected = found;
          if (batch_size != 1) BOOST_REQUIRE(found == expected);
        }
      }
    });
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const Dataset data = random_rows(5);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<Augmentation, std::string_view> cases[] = {
      {{.feature_dropout = 1}, "feature_dropout"},
      {{.feature_dropout = nan}, "feature_dropout"},
      {{.value_noise = -1}, "value_noise"},
      {{.value_noise = nan}, "value_noise"},
      {{.unknown = {1, 2, 3, 4}}, "unknown"},
      {{.unknown = {1, 2, 3, 4, 15}}, "unknown[4]"},
      {{.unknown = {1, 2, -2, 4, 5}}, "unknown[2]"},
      {{.is_numeric = std::vector<bool>(6)}, "numeric_fields"},
  };
  for (const auto& [a, name] : cases)
    BOOST_CHECK_EXCEPTION(check_augmentation(a, data, 15, 5), std::invalid_argument,
                          [&](const std::invalid_argument& error) {
                            const std::string start = "Augmentation." + std::string(name) + ": ";
                            return std::string_view(error.what()).starts_with(start);
                          });
  check_augmentation({.unknown = {1, 2, -1, 4, 14}, .value_noise = 1}, data, 15, 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
