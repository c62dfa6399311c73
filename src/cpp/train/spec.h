// What a model is made of, as the user says it, and its check.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "model/view.h"
#include "nn/tower.h"
#include "train/kernels.h"

namespace pyfm {

// Throws std::invalid_argument that names the parameter, its range and what was found.
OptimizerSpec make_optimizer(const std::string& name, const std::map<std::string, double>& params);

struct ModelSpec {
  std::string kind;  // one of kModelKinds or kDeepKinds
  std::string loss;  // one of losses(), or the softmax loss
  Index n_features = 0;
  Index n_fields = 1;
  Index n_factors = 0;
  bool linear = true;
  bool normalize = false;
  double init_scale = 1;
  Storage storage = Storage::float32;  // of factors and their optimizer state
  std::uint64_t seed = 0;
  // All absent: a model for prediction, without optimizer state.
  std::optional<OptimizerSpec> linear_optimizer;
  std::optional<OptimizerSpec> factor_optimizer;
  std::optional<OptimizerSpec> deep_optimizer;
  TowerSpec tower;  // of deep models, but for its input
  // Of deep models: those whose vectors there are, ascending; others are for the linear terms
  // alone. Empty: all.
  std::vector<FieldId> deep_fields = {};
  // Scores of a row. More than 1: one for each class, with tables of its own.
  Index n_outputs = 1;

  bool has_factors() const { return kind != "linear"; }
  bool is_deep() const;
  // Whether it makes a difference which field a feature belongs to.
  bool has_fields() const { return kind == "ffm" || is_deep(); }
  // Whose vectors are the input of a network.
  Index n_deep_fields() const {
    return deep_fields.empty() ? n_fields : static_cast<Index>(deep_fields.size());
  }
};

// Those that learn row by row or in batches, and those that learn in batches only.
inline constexpr std::string_view kModelKinds[] = {"linear", "fm", "ffm"};
inline constexpr std::string_view kDeepKinds[] = {"deepfm", "wide_deep"};

// "float32" or "float16". Throws std::invalid_argument that lists them.
Storage storage_of(const std::string& name);

// Throws std::invalid_argument that names what is out of range.
void validate(const ModelSpec& spec);

}  // namespace pyfm
