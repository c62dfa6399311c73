#include "train/spec.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "base/find.h"
#include "loss/row_loss.h"

namespace pyfm {

namespace {

constexpr Index kMaxFactors = 1024;
constexpr Index kMaxOutputs = 65'536;
// Parameters that float32 holds with room to spare: 1/√G is NaN where G is 0 or denormal, and
// 1 - β is 0 where β is rounded to 1.
constexpr double kSmallest = 1e-30, kLargest = 1e30, kBelowOne = 0.999999;

template <class T>
[[noreturn]] void refuse(const std::string& name, const std::string& expected, const T& found) {
  std::ostringstream text;
  text << name << ": expected " << expected << ", found " << found;
  throw std::invalid_argument(text.str());
}

void check_range(const char* name, Index value, Index low, Index high) {
  if (value < low || value > high)
    refuse(name, "an integer in [" + std::to_string(low) + ", " + std::to_string(high) + "]",
           value);
}

// Whether `word` is one of `words`, which spaces separate.
bool lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

bool belongs(const ParamInfo& param, const OptimizerInfo& info) {
  return param.range == Range::limit || lists(info.params, param.name);
}

void check(const std::string& name, Range range, double value) {
  const bool positive = range == Range::positive || range == Range::limit;
  if (!std::isfinite(value) || value < 0 || (value == 0 && positive))
    refuse(name, positive ? "a finite number > 0" : "a finite number >= 0", value);
  if (range == Range::below_one && value > kBelowOne)
    refuse(name, "a number in [0, 0.999999]", value);
  if (value > kLargest || (value < kSmallest && positive))
    refuse(name, "a number between 1e-30 and 1e30", value);
}

void check_deep_fields(const ModelSpec& spec) {
  if (spec.deep_fields.empty()) return;
  if (!spec.is_deep() || !spec.linear)
    refuse("deep_fields", "none but in deep models with linear terms", spec.kind);
  if (!std::ranges::is_sorted(spec.deep_fields, std::ranges::less_equal{}) ||
      static_cast<Index>(spec.deep_fields.back()) >= spec.n_fields)
    refuse("deep_fields", "ascending fields below " + std::to_string(spec.n_fields), "others");
}

}  // namespace

OptimizerSpec make_optimizer(const std::string& name, const std::map<std::string, double>& params) {
  const OptimizerInfo& info = find_named(optimizers(), "optimizer", name);
  OptimizerSpec spec;
  spec.index = static_cast<std::size_t>(&info - optimizers().data());
  for (const ParamInfo& param : kParams) {
    if (!belongs(param, info)) continue;
    const std::string full_name = name + "." + std::string(param.name);
    const auto given = params.find(std::string(param.name));
    if (given != params.end()) {
      check(full_name, param.range, given->second);
      spec.params.*param.member = static_cast<float>(given->second);
    } else if (param.range != Range::limit) {
      refuse(full_name, "a number", "nothing");
    }
  }
  for (const auto& [key, value] : params)
    if (std::ranges::none_of(kParams, [&](const ParamInfo& param) {
          return param.name == key && belongs(param, info);
        }))
      refuse(name, "parameters " + std::string(info.params), key);
  return spec;
}

Storage storage_of(const std::string& name) {
  constexpr std::string_view names[] = {"float32", "float16"};  // as in enum Storage
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names)) refuse("dtype", "'float32' or 'float16'", name);
  return static_cast<Storage>(found - std::begin(names));
}

bool ModelSpec::is_deep() const {
  return std::ranges::find(kDeepKinds, kind) != std::end(kDeepKinds);
}

void validate(const ModelSpec& spec) {
  if (!spec.is_deep() && std::ranges::find(kModelKinds, spec.kind) == std::end(kModelKinds))
    refuse("kind", "'linear', 'fm', 'ffm', 'deepfm' or 'wide_deep'", spec.kind);
  check_range("n_outputs", spec.n_outputs, 1, spec.is_deep() ? 1 : kMaxOutputs);
  RowLoss(spec.loss, static_cast<std::size_t>(spec.n_outputs));
  check_range("n_features", spec.n_features, 1, kMaxFeatures);
  check_range("n_fields", spec.n_fields, 1, kMaxFields);
  if (spec.has_factors())
    check_range("n_factors", spec.n_factors, 1, kMaxFactors);
  else if (!spec.linear)
    refuse("linear", "True for a linear model", "False");
  if (!std::isfinite(spec.init_scale) || spec.init_scale < 0)
    refuse("init_scale", "a finite number >= 0", spec.init_scale);
  if (spec.linear_optimizer.has_value() != (spec.linear && spec.factor_optimizer.has_value()) &&
      spec.has_factors())
    refuse("linear_optimizer", "an optimizer for every part or for none", "one missing");
  if (spec.is_deep() && spec.deep_optimizer.has_value() != spec.factor_optimizer.has_value())
    refuse("deep_optimizer", "an optimizer for every part or for none", "one missing");
  check_deep_fields(spec);
}

}  // namespace pyfm
