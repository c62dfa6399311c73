// Rows and models that the tests of training share.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"
#include "levels.h"
#include "train/predictor.h"
#include "train/trainer.h"

namespace pyfm {

inline constexpr Index kRows = 40;
inline constexpr Index kPerField = 3;

struct Rows {
  std::vector<Index> indptr = {0};
  std::vector<FeatureId> features;
  std::vector<FieldId> fields;
  std::vector<float> values, y;
};

// Rows of every shape: full, empty, with fields missing or several times, zeros and duplicates.
inline Dataset random_rows(Index n_fields) {
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

inline Dataset repeated(const Dataset& data, Index times) {
  std::vector<Index> rows;
  for (Index i = 0; i < times * data.n_rows(); ++i) rows.push_back(i % data.n_rows());
  return data.take(rows);
}

inline ModelSpec spec(std::string_view kind, std::size_t optimizer, Index n_fields, Index n_factors,
                      Storage storage = Storage::float32) {
  OptimizerSpec o;
  o.index = optimizer;
  o.params = {.learning_rate = 0.1f,
              .momentum = 0.5f,
              .rho = 0.8f,
              .beta = 1,
              .beta1 = 0.7f,
              .beta2 = 0.9f,
              .epsilon = 0.1f,
              .weight_decay = 0.01f,
              .initial_accumulator = 1,
              .l2 = 0.01f};
  if (n_fields == 5) o.params.l1 = 0.01f, o.params.clip_value = o.params.clip_norm = 0.1f;
  ModelSpec s;
  s.kind = kind, s.loss = "logistic";
  s.n_features = n_fields * kPerField, s.n_fields = n_fields;
  s.n_factors = kind == "linear" ? 0 : n_factors;
  s.normalize = true, s.storage = storage;
  s.linear_optimizer = s.factor_optimizer = o;
  return s;
}

inline std::vector<float> scores(Model& model, const Dataset& data, int n_threads = 1) {
  std::vector<float> found(static_cast<std::size_t>(data.n_rows()) * model.n_outputs());
  decision_function(model, data, n_threads, nullptr, found);
  return found;
}

// Calls f for every model, optimizer and size; linear models have no factors.
template <class F>
void for_models(F&& f) {
  for (const std::string_view kind : kModelKinds)
    for (std::size_t o = 0; o < optimizers().size(); ++o)
      for (const Index n_fields : {1, 2, 5, 17})
        for (const Index n_factors : {1, 4, 7, 8, 16, 17})
          if (kind != "linear" || n_factors == 1) f(kind, o, n_fields, n_factors);
}

inline constexpr Storage kEveryStorage[] = {Storage::float32, Storage::float16};

}  // namespace pyfm
