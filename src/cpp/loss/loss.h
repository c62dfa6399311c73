// Losses of a raw score s against a target y, each with its derivative and inverse link.
#pragma once
#include <span>
#include <string_view>

namespace pyfm {

struct LossValue {
  double loss;   // without constants that do not depend on s
  float dscore;  // d loss / d s
};

struct Loss {
  std::string_view name;
  LossValue (*value)(float score, float y) noexcept;
  double (*inverse_link)(float score) noexcept;  // score -> prediction on the scale of y
  bool (*in_domain)(float y) noexcept;
  std::string_view domain;  // of y, in words
};

std::span<const Loss> losses() noexcept;

// Throws std::invalid_argument that lists the names.
const Loss& find_loss(std::string_view name);

}  // namespace pyfm
