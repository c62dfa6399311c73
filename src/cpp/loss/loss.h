// Losses of a raw score s against a target y, each with its derivative and inverse link.
#pragma once
#include <cmath>
#include <span>
#include <string_view>

namespace pyfm {

// A loss is rest + log(factor), factor in [1, 2]: of a sum of them (loss/loss_sum.h) few logarithms
// are needed. Without constants that do not depend on s.
struct LossTerm {
  double rest, factor = 1;

  double loss() const noexcept { return rest + std::log(factor); }
};

struct LossValue : LossTerm {
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
