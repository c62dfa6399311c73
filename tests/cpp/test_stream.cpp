// Streams under the sanitizers: growth, admission, cuts, and calls that are undone.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "models.h"
#include "train/initializer.h"
#include "train/row_copies.h"
#include "train/stream.h"

namespace pyfm {
namespace {

std::vector<float> learn_rows(Model& model, const Dataset& data, StreamOptions options = {}) {
  std::vector<float> found(static_cast<std::size_t>(data.n_rows()));
  BOOST_REQUIRE(learn(model, data, options, found).finite);
  return found;
}

// Everything of a model: weights, optimizer state, and which features have rows or are counted.
struct State {
  std::vector<std::vector<char>> tables;
  std::vector<float> bias;
  std::vector<RowId> rows;
  std::vector<std::uint32_t> counts;
  Index n_counted;

  explicit State(Model& model) : n_counted(model.rows().n_counted()) {
    for (const ModelPart& p : model.parts()) {
      tables.emplace_back(p.rows.data(), p.rows.data() + p.rows.size());
      bias.insert(bias.end(), p.bias.data(), p.bias.data() + p.bias.size());
    }
    for (Index j = 0; j < model.spec().n_features; ++j) {
      rows.push_back(model.rows().row(static_cast<FeatureId>(j)));
      counts.push_back(model.rows().count_of(static_cast<FeatureId>(j)));
    }
  }
  bool operator==(const State&) const = default;
};

// A model whose feature space has yet to grow.
ModelSpec small_spec(std::string_view kind, std::size_t optimizer, Index n_factors,
                     Storage storage) {
  ModelSpec s = spec(kind, optimizer, 5, n_factors, storage);
  s.n_features = 1;
  return s;
}

template <class F>
void for_streams(F&& f) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Storage storage : kEveryStorage)
        for (const Index n_factors : {1, 4, 11}) f(small_spec(kind, o, n_factors, storage));
}

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(cuts_make_no_difference) {
  const Dataset data = repeated(random_rows(5), 4);
  for_levels([&] {
    for_streams([&](const ModelSpec& s) {
      for (const Index batch_size : {1, 8}) {
        Model whole(s), cut(s);
        StreamOptions options;
        options.batch_size = batch_size;
        const std::vector<float> expected = learn_rows(whole, data, options);
        std::vector<float> found;
        options.n_threads = batch_size == 1 ? 1 : 3;
        for (const auto& [begin, end] : {std::pair<Index, Index>{0, 8}, {8, 16}, {16, 160}}) {
          const std::vector<float> some = learn_rows(cut, data.slice(begin, end), options);
          found.insert(found.end(), some.begin(), some.end());
        }
        BOOST_REQUIRE(found == expected);
        BOOST_REQUIRE(scores(cut, data) == scores(whole, data));
        BOOST_REQUIRE(cut.spec().n_features == data.n_features());
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(features_are_admitted_by_count) {
  const Dataset data = random_rows(5);
  for (const std::uint32_t min_count : {1u, 2u, 7u, 1000u})
    for (const int n_threads : {1, 3})
      for (const Index batch_size : {1, 7}) {
        Model model(small_spec("ffm", 1, 4, Storage::float32));
        model.set_min_count(min_count);
        StreamOptions options{n_threads, batch_size, nullptr};
        std::vector<std::uint32_t> counts(static_cast<std::size_t>(data.n_features()));
        for (const Index begin : {0, 20}) {
          const Dataset some = data.slice(begin, begin + 20);
          learn_rows(model, some, options);
          for (Index i = 0; i < some.n_rows(); ++i) {
            std::vector<char> held(counts.size());
            for (Index e = 0; e < some.row(i).size; ++e) held[some.row(i).features[e]] = 1;
            for (std::size_t j = 0; j < counts.size(); ++j)
              counts[j] += static_cast<unsigned char>(held[j]);
          }
          Index n_rows = 1, n_counted = 0;
          for (std::size_t j = 0; j < counts.size(); ++j) {
            const auto feature = static_cast<FeatureId>(j);
            const bool admitted = counts[j] >= min_count;
            BOOST_REQUIRE((model.rows().row(feature) != 0) == admitted);
            BOOST_REQUIRE(model.rows().count_of(feature) == (admitted ? 0 : counts[j]));
            n_rows += admitted, n_counted += !admitted && counts[j] > 0;
          }
          BOOST_TEST(model.rows().n_rows() == n_rows);
          BOOST_TEST(model.rows().n_counted() == n_counted);
        }
      }
}

// Numbers that overflow in the last rows, after new features have come.
Dataset broken(const Dataset& data) {
  auto y = std::make_shared<std::vector<float>>(static_cast<std::size_t>(data.n_rows()), 1e38f);
  auto weight = std::make_shared<std::vector<float>>(y->size(), 1e38f);
  const std::span<const float> targets = *y, weights = *weight;
  return data.with_targets(targets, weights,
                           std::make_shared<std::pair<decltype(y), decltype(weight)>>(y, weight));
}

BOOST_AUTO_TEST_CASE(a_call_that_diverges_is_undone) {
  const Dataset data = repeated(random_rows(5), 4);
  for_streams([&](ModelSpec s) {
    s.loss = "squared";
    s.linear_optimizer->params.clip_value = s.linear_optimizer->params.clip_norm =
        OptimizerParams{}.clip_value;
    s.factor_optimizer = s.linear_optimizer;
    for (const Index batch_size : {1, 8})
      for (const Index most : {Index{0}, Index{64} << 20}) {
        Model model(s), same(s);
        for (Model* m : {&model, &same}) m->set_min_count(2);
        StreamOptions options{1, batch_size, nullptr, most};
        for (Model* m : {&model, &same}) learn_rows(*m, data.slice(0, 16), options);
        std::vector<float> found(144);
        const StreamStats stats = learn(model, broken(data.slice(16, 160)), options, found);
        if (stats.finite) continue;  // an optimizer whose steps have a largest size
        BOOST_REQUIRE(stats.undone == (most > 0));
        if (!stats.undone) continue;
        BOOST_REQUIRE(State(model) == State(same));
        for (Model* m : {&model, &same}) learn_rows(*m, data.slice(16, 160), options);
        BOOST_REQUIRE(State(model) == State(same));
      }
  });
}

// Among many rows of the tables, as a service learns them.
BOOST_AUTO_TEST_CASE(a_row_of_data_that_diverges_is_undone) {
  const Dataset data = random_rows(100);
  ModelSpec s = spec("ffm", 0, 100, 4);
  s.loss = "squared";
  Model model(s), same(s);
  for (Model* m : {&model, &same}) learn_rows(*m, data);
  for (const Index i : {2, 20}) {  // of 2 and of 20 entries
    std::vector<float> found(1);
    const StreamStats stats = learn(model, broken(data.slice(i, i + 1)), {}, found);
    BOOST_REQUIRE((!stats.finite && stats.undone));
    BOOST_REQUIRE(State(model) == State(same));
  }
}

// Whether they are few, and sorted, or many, and marked.
BOOST_AUTO_TEST_CASE(rows_of_data_are_listed_once) {
  const Dataset data = random_rows(100);
  Model model(spec("linear", 1, 100, 0));
  learn_rows(model, data.slice(20, kRows));  // other features have row 0
  bool few = false, many = false;
  for (Index begin = 0; begin < kRows; ++begin)
    for (Index end = begin; end <= kRows; ++end) {
      const Dataset part = data.slice(begin, end);
      std::set<RowId> expected;
      for (Index i = 0; i < part.n_rows(); ++i)
        for (Index e = 0; e < part.row(i).size; ++e)
          expected.insert(model.rows().row(part.row(i).features[e]));
      expected.erase(0);
      const std::vector<RowId> found = rows_of(model, part);
      BOOST_REQUIRE(std::ranges::equal(found, expected));
      few |= found.size() == 2, many |= found.size() > 100;
    }
  BOOST_TEST((few && many));
}

// The callback ends the call while features are counted, rows are filled, or rows are learned.
BOOST_AUTO_TEST_CASE(a_call_that_is_interrupted_is_undone) {
  const Dataset data = random_rows(5);
  const Dataset large = repeated(random_rows(5), 50'000);
  ModelSpec s = small_spec("ffm", 1, 11, Storage::float16);
  Model model(s), same(s);
  for (Model* m : {&model, &same}) m->set_min_count(10'000);
  for (Model* m : {&model, &same}) learn_rows(*m, data);
  StreamOptions options;
  options.poll = [](Index) { throw std::runtime_error("enough"); };
  std::vector<float> found(static_cast<std::size_t>(large.n_rows()));
  BOOST_CHECK_THROW(learn(model, large, options, found), std::runtime_error);
  BOOST_TEST((State(model) == State(same)));
  BOOST_TEST(model.rows().n_counted() > 0);
  int calls = 0;
  options.poll = [&](Index) {
    if (++calls == 4) throw std::runtime_error("enough");
  };
  try {
    learn(model, large, options, found);
  } catch (const std::runtime_error&) {
    BOOST_TEST((State(model) == State(same)));
  }
}

BOOST_AUTO_TEST_CASE(rows_of_another_model_are_refused) {
  Model model(spec("ffm", 1, 5, 4));
  const Dataset data = random_rows(5);
  learn_rows(model, data);
  const State before(model);
  std::vector<float> found(kRows);
  BOOST_CHECK_THROW(learn(model, random_rows(6), {}, found), std::invalid_argument);
  BOOST_TEST((State(model) == before));
  ModelSpec for_prediction = spec("ffm", 1, 5, 4);
  for_prediction.linear_optimizer = for_prediction.factor_optimizer = std::nullopt;
  Model fixed(for_prediction);
  BOOST_CHECK_THROW(learn(fixed, data, {}, found), std::invalid_argument);
  BOOST_TEST(fixed.rows().n_rows() == 1);
}

BOOST_AUTO_TEST_CASE(no_rows_change_nothing_but_the_space) {
  Model model(small_spec("fm", 1, 4, Storage::float32));
  std::vector<float> none;
  BOOST_TEST(learn(model, random_rows(5).slice(3, 3), {}, none).finite);
  BOOST_TEST(model.spec().n_features == 15);
  BOOST_TEST(model.rows().n_rows() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
