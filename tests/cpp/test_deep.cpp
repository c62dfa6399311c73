// Deep models: threads, streams, snapshots, frozen parts.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "models.h"
#include "naive_sgemm.h"
#include "nn/gemm.h"
#include "train/initializer.h"
#include "train/stream.h"

namespace pyfm {
namespace {

ModelSpec deep_spec(std::string_view kind, std::size_t optimizer, Index n_factors,
                    Storage storage = Storage::float32) {
  set_sgemm(naive_sgemm);
  ModelSpec s = spec(kind, optimizer, 5, n_factors, storage);
  s.deep_optimizer = s.factor_optimizer;
  s.tower.hidden = {6, 6};
  s.tower.batch_norm = true;
  s.tower.dropout = 0.25;
  s.tower.residual = 1;
  return s;
}

template <class F>
void for_deep_models(F&& f) {
  for (const std::string_view kind : kDeepKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Storage storage : kEveryStorage)
        for (const Index n_factors : {1, 4, 7, 16}) {
          ModelSpec s = deep_spec(kind, o, n_factors, storage);
          f(s);
          s.deep_fields = {0, 3};
          f(s);
        }
}

BOOST_AUTO_TEST_SUITE(deep)

BOOST_AUTO_TEST_CASE(threads_make_no_difference) {
  const Dataset data = repeated(random_rows(5), 5);
  for_levels([&] {
    for_deep_models([&](const ModelSpec& s) {
      std::vector<float> expected;
      for (const int n_threads : {1, 3}) {
        Model model(s);
        for (Index epoch = 0; epoch < 2; ++epoch)
          train_epoch(model, data, {epoch, true, n_threads, nullptr, 70});
        BOOST_TEST(model.is_finite(2));
        const std::vector<float> found = scores(model, data, n_threads);
        if (n_threads == 1) expected = found;
        BOOST_TEST((found == expected));
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(losses_fall) {
  for (const std::string_view kind : kDeepKinds) {
    const Dataset data = repeated(random_rows(5), 20);
    Model model(deep_spec(kind, 1, 4));
    const double first = train_epoch(model, data, {0, true, 1, nullptr, 32}).loss;
    double last = first;
    for (Index epoch = 1; epoch < 5; ++epoch)
      last = train_epoch(model, data, {epoch, true, 1, nullptr, 32}).loss;
    BOOST_TEST(last < first);
  }
}

BOOST_AUTO_TEST_CASE(a_snapshot_brings_the_network_back) {
  const Dataset data = random_rows(5);
  Model model(deep_spec("deepfm", 1, 4));
  train_epoch(model, data, {0, true, 1, nullptr, 16});
  Snapshot snapshot;
  model.save(snapshot);
  const std::vector<float> before = scores(model, data);
  train_epoch(model, data, {1, true, 1, nullptr, 16});
  BOOST_TEST((scores(model, data) != before));
  model.restore(snapshot);
  BOOST_TEST((scores(model, data) == before));
}

BOOST_AUTO_TEST_CASE(cuts_of_a_stream_leave_no_trace) {
  for_deep_models([](const ModelSpec& s) {
    if (s.n_factors != 4 || s.storage != Storage::float32) return;
    const Dataset data = repeated(random_rows(5), 4);
    Model whole(s), cut(s);
    std::vector<float> expected(static_cast<std::size_t>(data.n_rows())), found;
    learn(whole, data, {3, 32, nullptr}, expected);
    for (const auto& [begin, end] : {std::pair<Index, Index>{0, 64}, {64, 96}, {96, 160}}) {
      std::vector<float> part(static_cast<std::size_t>(end - begin));
      learn(cut, data.slice(begin, end), {1, 32, nullptr}, part);
      found.insert(found.end(), part.begin(), part.end());
    }
    BOOST_TEST((scores(whole, data) == scores(cut, data)));
    BOOST_TEST((found == expected));
  });
}

BOOST_AUTO_TEST_CASE(fields_of_linear_terms_alone_have_no_vectors) {
  ModelSpec s = deep_spec("deepfm", 1, 4);
  s.deep_fields = {0, 3};
  const Dataset data = random_rows(5);
  Model model(s);
  for (Index epoch = 0; epoch < 2; ++epoch) train_epoch(model, data, {epoch, true, 2, nullptr, 16});
  std::vector<FeatureId> features(static_cast<std::size_t>(5 * kPerField));
  std::iota(features.begin(), features.end(), FeatureId{0});
  std::vector<float> vectors(features.size() * 4);
  model.read(Part::fm, features, vectors.data());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Index field = static_cast<Index>(i) / (kPerField * 4);
    if (field != 0 && field != 3) BOOST_TEST(vectors[i] == 0);
  }
  BOOST_TEST(std::ranges::any_of(vectors, [](float v) { return v != 0; }));
}

BOOST_AUTO_TEST_CASE(deep_fields_are_checked) {
  ModelSpec s = deep_spec("deepfm", 1, 4);
  for (const std::vector<FieldId>& fields : {std::vector<FieldId>{1, 0}, {0, 0}, {0, 5}}) {
    s.deep_fields = fields;
    BOOST_CHECK_THROW(Model{s}, std::invalid_argument);
  }
  s.deep_fields = {0};
  s.linear = false;
  BOOST_CHECK_THROW(Model{s}, std::invalid_argument);
  ModelSpec ffm = spec("ffm", 1, 5, 4);
  ffm.deep_fields = {0};
  BOOST_CHECK_THROW(Model{ffm}, std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(frozen_parts_stay) {
  const Dataset data = random_rows(5);
  Model model(deep_spec("deepfm", 1, 4));
  initialize(model, data, 1, nullptr);
  NetworkCopy before, after;
  model.network()->save(before, true);
  model.network()->freeze(true);
  model.freeze(Part::linear, true);
  train_epoch(model, data, {0, true, 1, nullptr, 16});
  model.network()->save(after, true);
  for (std::size_t i = 0; i < before.tables.size(); ++i)
    BOOST_TEST(std::ranges::equal(before.tables[i].view(), after.tables[i].view()));
  BOOST_TEST(model.find(Part::linear)->bias[0] == 0);
}

BOOST_AUTO_TEST_CASE(what_polling_throws_ends_the_epoch) {
  const Dataset data = repeated(random_rows(5), 2'000);
  Model model(deep_spec("deepfm", 1, 4));
  struct Stop {};
  const auto train_for_ever = [&] {
    for (Index epoch = 0;; ++epoch)
      train_epoch(model, data, {epoch, false, 2, [](Index) { throw Stop(); }, 64});
  };
  BOOST_CHECK_THROW(train_for_ever(), Stop);
  BOOST_TEST(model.is_finite(1));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
