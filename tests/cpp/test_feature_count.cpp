// Counts of features: the same as one by one, on any number of threads, and taken back where a pass
// over the rows is left.
#include "train/feature_count.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <set>
#include <stdexcept>

#include "models.h"

namespace pyfm {
namespace {

constexpr Index kFeatures = 3000;

// Rows of less than `most` entries, some of them several times, in no order.
Dataset long_rows(Index n_rows, Index most = 100) {
  const auto rows = std::make_shared<Rows>();
  const std::uint64_t key = random_key(5, 0);
  std::uint64_t at = 0;
  for (Index i = 0; i < n_rows; ++i) {
    for (Index e = 0; e < i * 9973 % most; ++e) {
      const std::uint64_t features =
          e % 2 == 0 ? 40 : std::uint64_t{kFeatures};  // few are frequent
      rows->features.push_back(static_cast<FeatureId>(random_below(key, at++, features)));
      rows->fields.push_back(static_cast<FieldId>(e % 5));
    }
    rows->indptr.push_back(static_cast<Index>(rows->features.size()));
  }
  DatasetBuffers b;
  b.indptr = rows->indptr, b.features = rows->features, b.fields = rows->fields;
  b.n_rows = n_rows, b.n_features = kFeatures, b.n_fields = 5;
  b.owner = rows;
  return Dataset(b);
}

ModelSpec wide_spec() {
  ModelSpec s = spec("linear", 1, 5, 0);
  s.n_features = kFeatures, s.seed = 7;
  return s;
}

struct CountingModel : Model {
  explicit CountingModel(std::uint32_t min_count) : Model(wide_spec()) { set_min_count(min_count); }
};

std::vector<std::uint32_t> counts_of(const Model& model) {
  std::vector<std::uint32_t> counts;
  for (FeatureId j = 0; j < kFeatures; ++j) counts.push_back(model.rows().count_of(j));
  return counts;
}

struct Counts {
  std::vector<std::uint32_t> of = std::vector<std::uint32_t>(kFeatures);
  std::vector<FeatureId> enough;  // in the order in which they reached the least count

  void add(FeatureId j, std::uint32_t least) {
    if (++of[j] == least) enough.push_back(j);
  }
  Index n_counted() const { return kFeatures - std::ranges::count(of, 0u); }
};

Counts one_by_one(const Dataset& data, const Augmentation& a, std::uint32_t least, Index first) {
  const std::uint64_t seed = 7;
  const Augmenter augmenter(a, seed, 0);
  Counts counts;
  for (Index i = 0; i < data.n_rows(); ++i) {
    const Row row = data.row(a.bootstrap ? bootstrap_row(seed, i, data.n_rows()) : i);
    std::vector<FeatureId> features(row.features, row.features + row.size);
    std::set<FeatureId> met;
    if (least > 1 && features.size() > 64) std::ranges::sort(features);
    for (const FeatureId j : features)
      if (least == 1 || met.insert(j).second) counts.add(j, least);
    for (Index e = 0; e < row.size; ++e)
      if (const std::optional<Index> j = augmenter.replacement(first + i, e, row.field(e));
          j && *j >= 0)
        counts.add(static_cast<FeatureId>(*j), least);
  }
  return counts;
}

BOOST_AUTO_TEST_SUITE(feature_counts)

BOOST_AUTO_TEST_CASE(any_number_of_threads_counts_as_one_by_one) {
  const Augmentation none, bootstrap = {.bootstrap = true},
                           dropout = {.feature_dropout = 0.3, .unknown = {2995, -1, 7, 8, 9}};
  // Up to some pieces of work for each of several threads, and blocks of a single row.
  const Dataset all[] = {long_rows(0),   long_rows(1),        long_rows(256),
                         long_rows(257), long_rows(9000, 20), long_rows(6, 40'000)};
  for (const Dataset& data : all)
    for (const Augmentation& a : {none, bootstrap, dropout})
      for (const std::uint32_t least : {1u, 2u, 9u}) {
        const Index first = 1000;
        const Counts expected = one_by_one(data, a, least, first);
        std::vector<FeatureId> enough = expected.enough;
        for (const int n_threads : {1, 2, 3, 16}) {
          CountingModel model(least);
          std::vector<FeatureId> found = count_features(model, data, a, n_threads, nullptr, first);
          if (n_threads > 1) std::ranges::sort(found), std::ranges::sort(enough);
          BOOST_REQUIRE(found == enough);
          BOOST_REQUIRE(counts_of(model) == expected.of);
          BOOST_REQUIRE(model.rows().n_counted() == expected.n_counted());
        }
      }
}

BOOST_AUTO_TEST_CASE(features_that_have_rows_are_not_counted) {
  const Dataset data = long_rows(300);
  for (const int n_threads : {1, 3}) {
    CountingModel model(2);
    model.add_rows(std::vector<FeatureId>{3, 30});
    const std::vector<FeatureId> enough = count_features(model, data, {}, n_threads, nullptr);
    for (const FeatureId j : {3u, 30u}) {
      BOOST_TEST(std::ranges::count(enough, j) == 0);
      BOOST_TEST(model.rows().count_of(j) == 0u);
    }
    BOOST_TEST(model.rows().row(30) == 2u);
    BOOST_TEST(std::ranges::count(enough, 4u) == 1);
  }
}

// So many entries that counting takes longer than the time between calls of the callback.
BOOST_AUTO_TEST_CASE(an_interrupted_count_is_taken_back) {
  constexpr Index n_rows = 5'000'000;
  const Dataset some = long_rows(100);
  std::vector<Index> at(n_rows);
  for (Index i = 0; i < n_rows; ++i) at[static_cast<std::size_t>(i)] = i % some.n_rows();
  const Dataset data = some.take(at);
  for (const std::uint32_t least : {1u, 1'000'000'000u})
    for (const int n_threads : {1, 3}) {
      CountingModel model(least);
      count_features(model, some, {}, n_threads, nullptr);
      const Counts expected = one_by_one(some, {}, least, 0);
      BOOST_CHECK_THROW(count_features(model, data, {}, n_threads,
                                       [](Index) { throw std::runtime_error("enough"); }),
                        std::runtime_error);
      BOOST_REQUIRE(counts_of(model) == expected.of);
      BOOST_TEST(model.rows().n_counted() == expected.n_counted());
    }
}

BOOST_AUTO_TEST_CASE(counts_are_taken_back) {
  const Dataset data = long_rows(300), more = long_rows(200);
  for (const std::uint32_t least : {1u, 2u}) {
    CountingModel model(least);
    count_features(model, data, {}, 3, nullptr);
    count_features(model, more, {}, 3, nullptr);
    uncount_features(model, more);
    const Counts expected = one_by_one(data, {}, least, 0);
    BOOST_REQUIRE(counts_of(model) == expected.of);
    BOOST_TEST(model.rows().n_counted() == expected.n_counted());
  }
}

BOOST_AUTO_TEST_CASE(counts_stay_at_their_largest) {
  RowMap rows(3);
  rows.set_count(1, RowMap::kMostCounts - 1);
  BOOST_TEST(rows.n_counted() == 1);
  for (int i = 0; i < 3; ++i) BOOST_TEST(rows.count(1) == RowMap::kMostCounts);
  BOOST_TEST(rows.row(1) == 0u);
  BOOST_TEST(rows.count(2) == 1u);
  rows.add_counted(1);
  const FeatureId one[] = {1};
  rows.add(one);
  BOOST_TEST(rows.row(1) == 1u);
  BOOST_TEST(rows.count(1) == 0u);
  BOOST_TEST(rows.n_counted() == 1);
  rows.forget_counts();
  BOOST_TEST(rows.count_of(2) == 0u);
  BOOST_TEST(rows.n_counted() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
