// What a model is made of, as the user says it, and its check.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/types.h"
#include "model/view.h"
#include "train/kernels.h"

namespace pyfm {

// Throws std::invalid_argument that names the parameter, its range and what was found.
OptimizerSpec make_optimizer(const std::string& name, const std::map<std::string, double>& params);

struct ModelSpec {
  std::string kind;  // one of kModelKinds
  std::string loss;
  Index n_features = 0;
  Index n_fields = 1;
  Index n_factors = 0;
  bool linear = true;
  bool normalize = false;
  double init_scale = 1;
  Storage storage = Storage::float32;  // of factors and their optimizer state
  std::uint64_t seed = 0;
  // Both absent: a model for prediction, without optimizer state.
  std::optional<OptimizerSpec> linear_optimizer;
  std::optional<OptimizerSpec> factor_optimizer;

  bool has_factors() const { return kind != "linear"; }
};

inline constexpr std::string_view kModelKinds[] = {"linear", "fm", "ffm"};

// "float32" or "float16". Throws std::invalid_argument that lists them.
Storage storage_of(const std::string& name);

// Throws std::invalid_argument that names what is out of range.
void validate(const ModelSpec& spec);

}  // namespace pyfm
