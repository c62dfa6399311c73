// Sums of losses over many rows.
#pragma once
#include <cmath>

#include "loss/loss.h"

namespace pyfm {

// Σ weight × loss and Σ weight. Of rows that weigh 1, as most do, the logarithm is taken of the
// product of many: a logarithm a row, whose branches nobody foresees, costs a linear model a tenth
// of its time.
class LossSum {
 public:
  void add(float row_weight, const LossTerm& term) noexcept {
    weight_ += static_cast<double>(row_weight);
    sum_ += static_cast<double>(row_weight) * term.rest;
    if (row_weight == 1)
      multiply(term.factor);
    else
      sum_ += static_cast<double>(row_weight) * std::log(term.factor);
  }
  void add(const LossSum& other) noexcept {
    weight_ += other.weight_;
    sum_ += other.sum_;
    multiply(other.product_);
  }

  double loss() const noexcept { return sum_ + std::log(product_); }
  double weight() const noexcept { return weight_; }
  double mean() const noexcept { return weight_ > 0 ? loss() / weight_ : 0; }

 private:
  void multiply(double factor) noexcept {
    constexpr double kMost = 0x1p500;  // a factor of a sum is no larger, and their product finite
    product_ *= factor;
    if (product_ > kMost) {
      sum_ += std::log(product_);
      product_ = 1;
    }
  }

  double sum_ = 0, product_ = 1, weight_ = 0;
};

}  // namespace pyfm
