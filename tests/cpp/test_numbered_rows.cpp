// Features that are looked up once for several epochs: the same model, to the bit.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "models.h"
#include "train/initializer.h"
#include "train/numbered_rows.h"

namespace pyfm {
namespace {

// Every row with one entry in every field, which needs neither indptr nor fields nor values.
Dataset one_per_field(Index n_fields, Index n_rows = kRows) {
  const auto rows = std::make_shared<Rows>();
  const std::uint64_t key = random_key(5, static_cast<std::uint64_t>(n_fields));
  for (Index i = 0; i < n_rows; ++i) {
    for (Index f = 0; f < n_fields; ++f)
      rows->features.push_back(static_cast<FeatureId>(
          f * kPerField + random_below(key, static_cast<std::uint64_t>(i * n_fields + f), 3)));
    rows->y.push_back(static_cast<float>(i % 3 == 0));
  }
  DatasetBuffers b;
  b.features = rows->features, b.y = rows->y;
  b.n_rows = n_rows, b.n_features = n_fields * kPerField, b.n_fields = n_fields;
  b.owner = rows;
  return Dataset(b);
}

void pass(Model& model, const Dataset& data, const NumberedRows* numbered, Index batch_size = 1,
          const Augmentation* augmentation = nullptr) {
  EpochOptions options{.poll = {}};
  options.batch_size = batch_size;
  options.augmentation = augmentation;
  options.numbered = numbered;
  train_epoch(model, data, options);
}

std::vector<float> learned(const ModelSpec& spec, const Dataset& data, Index batch_size,
                           std::uint32_t min_count, bool numbers) {
  Model model(spec);
  model.set_min_count(min_count);
  initialize(model, data, 1, nullptr, nullptr);
  std::optional<NumberedRows> numbered;
  if (numbers) {
    numbered = number_rows(model, data, 2, nullptr);
    BOOST_REQUIRE(numbered);
  }
  for (int epoch = 0; epoch < 2; ++epoch)
    pass(model, data, numbered ? &*numbered : nullptr, batch_size);
  return scores(model, data);
}

BOOST_AUTO_TEST_SUITE(numbered_rows)

BOOST_AUTO_TEST_CASE(give_the_same_bits) {
  for (const std::string_view kind : kModelKinds)
    for (const Index n_fields : {1, 5, 17}) {
      const Dataset any = random_rows(n_fields);
      for (const Dataset& data : {any, one_per_field(n_fields), repeated(any, 3), any.slice(7, 31),
                                  repeated(one_per_field(n_fields), 2)})
        for (const Storage storage : kEveryStorage)
          for (const Index batch_size : {1, 7})
            for (const std::uint32_t min_count : {1u, 9u}) {
              const ModelSpec s = spec(kind, 1, n_fields, 4, storage);
              BOOST_REQUIRE(learned(s, data, batch_size, min_count, true) ==
                            learned(s, data, batch_size, min_count, false));
            }
    }
}

BOOST_AUTO_TEST_CASE(are_looked_up_on_several_threads) {
  const Dataset data = one_per_field(17, 20'000);  // entries of several blocks
  Model model(spec("fm", 1, 17, 4));
  initialize(model, data, 3, nullptr, nullptr);
  const auto numbered = number_rows(model, data, 3, nullptr);
  BOOST_REQUIRE(numbered);
  for (Index i = 0; i < data.n_rows(); ++i)
    for (Index e = 0; e < 17; ++e)
      BOOST_REQUIRE(numbered->rows.row(i).features[e] == model.rows().row(data.row(i).features[e]));
}

BOOST_AUTO_TEST_CASE(are_those_of_one_data_set_and_of_the_model_as_it_is) {
  const Dataset data = one_per_field(5), other = one_per_field(5);
  Model model(spec("fm", 1, 5, 4));
  initialize(model, data.slice(0, 1), 1, nullptr, nullptr);
  const auto early = number_rows(model, data, 1, nullptr);
  initialize(model, data, 1, nullptr, nullptr);
  const auto numbered = number_rows(model, data, 1, nullptr);
  BOOST_REQUIRE((early && numbered));
  Model twin(spec("fm", 1, 5, 4));
  initialize(twin, data, 1, nullptr, nullptr);
  const Augmentation augmentation;
  BOOST_CHECK_NO_THROW(pass(model, data, &*numbered));
  BOOST_CHECK_THROW(pass(model, data, &*early), std::invalid_argument);
  BOOST_CHECK_THROW(pass(model, other, &*numbered), std::invalid_argument);
  BOOST_CHECK_THROW(pass(twin, data, &*numbered), std::invalid_argument);
  BOOST_CHECK_THROW(pass(model, data, &*numbered, 1, &augmentation), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(are_none_where_little_is_selected) {
  const Dataset data = one_per_field(5);
  Model model(spec("fm", 1, 5, 4));
  const std::vector<Index> few = {3, 1, 4}, half(20, 2);
  initialize(model, data, 1, nullptr, nullptr);
  BOOST_TEST(!number_rows(model, data.take(few), 1, nullptr));
  BOOST_TEST(number_rows(model, data.take(half), 1, nullptr).has_value());
  Model small(spec("fm", 1, 1, 4));
  BOOST_CHECK_THROW(number_rows(small, data, 1, nullptr), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
