// Tables of every storage while features come and go: growth, rows taken away, padding.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string_view>
#include <vector>

#include "models.h"
#include "optim/params.h"

namespace pyfm {
namespace {

bool all_zero(const char* begin, Index bytes) {
  for (Index i = 0; i < bytes; ++i)
    if (begin[i] != 0) return false;
  return true;
}

// Zero in every bit: the row of unknown features, and what lies between the factors of a vector and
// the next whole register, and behind the last vector.
bool padding_is_zero(Model& model) {
  for (const ModelPart& p : model.parts()) {
    const PartShape& shape = p.shape;
    const Index number = shape.row_bytes() / shape.stride;
    if (!all_zero(p.rows.data(), shape.row_bytes())) return false;
    for (Index r = 1; r < model.rows().n_rows(); ++r) {
      const char* row = p.rows.data() + r * shape.row_bytes();
      const Index block = shape.block * number, used = shape.n_factors * number;
      for (Index f = 0; f < shape.n_fields; ++f)
        if (!all_zero(row + f * block + used, block - used)) return false;
      if (!all_zero(row + shape.n_fields * block, shape.width * number - shape.n_fields * block))
        return false;
    }
  }
  return true;
}

// A row and a feature know each other.
bool rows_are_consistent(const RowMap& rows) {
  Index given = 0;
  for (Index j = 0; j < rows.n_features(); ++j) {
    const RowId r = rows.row(static_cast<FeatureId>(j));
    given += r != 0;
    if (r >= rows.n_rows() || (r != 0 && rows.feature(r) != j)) return false;
  }
  return given == rows.n_rows() - 1;
}

bool all_finite(const std::vector<float>& x) {
  for (const float number : x)
    if (!std::isfinite(number)) return false;
  return true;
}

void check(Model& model, const Dataset& data) {
  BOOST_REQUIRE(padding_is_zero(model));
  BOOST_REQUIRE(rows_are_consistent(model.rows()));
  BOOST_REQUIRE(all_finite(scores(model, data)));
}

// Calls f for models of every kind, optimizer, storage and a few sizes that are no multiples.
template <class F>
void for_odd_models(F&& f) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Storage storage : kEveryStorage)
        for (const Index n_fields : {1, 6})
          for (const Index n_factors : {1, 5, 8, 19})
            if (kind != "linear" || (n_factors == 1 && storage == Storage::float32))
              f(spec(kind, o, n_fields, n_factors, storage));
}

BOOST_AUTO_TEST_SUITE(tables)

BOOST_AUTO_TEST_CASE(features_come_and_go) {
  for_levels([] {
    for_odd_models([](const ModelSpec& s) {
      const Dataset data = random_rows(s.n_fields);
      Model model(s);
      Snapshot none, few;
      model.save(none);
      train_epoch(model, data.slice(0, 5), {0, true, 1, nullptr});
      check(model, data);
      model.save(few);
      const std::vector<float> expected = scores(model, data);
      train_epoch(model, data, {1, true, 1, nullptr});
      check(model, data);
      if (s.n_fields > 1) BOOST_REQUIRE(model.rows().n_rows() > few.features.size());
      model.restore(few);
      check(model, data);
      BOOST_REQUIRE(scores(model, data) == expected);
      train_epoch(model, data.slice(7, 20), {2, false, 1, nullptr});
      check(model, data);
      model.restore(none);
      check(model, data);
      for (const float score : scores(model, data)) BOOST_REQUIRE(score == 0);
      train_epoch(model, data, {3, true, 1, nullptr});
      check(model, data);
    });
  });
}

BOOST_AUTO_TEST_CASE(weights_are_read_and_written_by_feature) {
  for_odd_models([](const ModelSpec& s) {
    Model model(s);
    std::vector<FeatureId> features(static_cast<std::size_t>(s.n_features));
    std::iota(features.rbegin(), features.rend(), FeatureId{0});
    for (const ModelPart& p : model.parts()) {
      const Index per_feature = Index{p.shape.n_fields} * p.shape.n_factors;
      std::vector<float> in(features.size() * static_cast<std::size_t>(per_feature));
      for (std::size_t i = 0; i < in.size(); ++i)
        in[i] = static_cast<float>(i % 255) - 127;  // every storage holds these
      std::vector<float> out(in.size(), 1.0f);
      model.read(p.part, features, out.data());
      if (&p == &model.parts().front()) BOOST_REQUIRE(out == std::vector<float>(in.size()));
      model.write(p.part, features, in.data());
      model.read(p.part, features, out.data());
      BOOST_REQUIRE(out == in);
    }
    check(model, random_rows(s.n_fields));
    train_epoch(model, random_rows(s.n_fields), {0, true, 1, nullptr});
    BOOST_REQUIRE(padding_is_zero(model));
  });
}

BOOST_AUTO_TEST_CASE(a_row_map_gives_and_takes) {
  RowMap rows(10);
  BOOST_TEST(rows.n_rows() == 1);
  const FeatureId first[] = {7, 2}, more[] = {9, 0, 3};
  rows.add(first);
  BOOST_TEST(rows.row(7) == 1u);
  BOOST_TEST(rows.row(2) == 2u);
  BOOST_TEST(rows.row(9) == 0u);
  rows.add(more);
  BOOST_TEST(rows.n_rows() == 6);
  BOOST_TEST(rows.feature(5) == 3u);
  BOOST_TEST(rows_are_consistent(rows));
  rows.truncate(3);
  BOOST_TEST(rows.row(2) == 2u);
  for (const FeatureId j : more) BOOST_TEST(rows.row(j) == 0u);
  rows.add(more);
  BOOST_TEST(rows_are_consistent(rows));
  rows.truncate(100);
  BOOST_TEST(rows.n_rows() == 6);
}

BOOST_AUTO_TEST_CASE(a_snapshot_of_rows_that_are_gone_is_refused) {
  const Dataset data = random_rows(5);
  Model model(spec("fm", 1, 5, 4));
  Snapshot none, all, never_saved;
  model.save(none);
  train_epoch(model, data, {0, true, 1, nullptr});
  model.save(all);
  model.restore(none);
  BOOST_CHECK_THROW(model.restore(all), std::invalid_argument);
  const float one = 1;
  for (Index r = all.features.size() - 1; r > 0; --r)  // as many rows, of features in another order
    model.write(Part::linear, {&all.features[r], 1}, &one);
  BOOST_CHECK_THROW(model.restore(all), std::invalid_argument);
  model.restore(never_saved);
  check(model, data);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
