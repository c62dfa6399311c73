// The loss of a row of data by all its scores: by its one score, or the softmax loss of one score
// for each class.
#pragma once
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "loss/loss.h"
#include "loss/softmax.h"

namespace pyfm {

class RowLoss {
 public:
  // Of one score alone: loss_name is one of losses(); of several: kSoftmax. Throws
  // std::invalid_argument that names the losses.
  RowLoss(std::string_view loss_name, std::size_t n_scores);

  static constexpr std::string_view kSoftmax = "softmax";

  // That of the only score; null of several.
  const Loss* of_one() const noexcept { return one_; }
  // Returns the loss; the scores become d loss / d score. y is in the domain.
  LossTerm slopes(std::span<float> scores, float y) const noexcept {
    if (!one_) return {softmax(scores, static_cast<std::size_t>(y))};
    const LossValue value = one_->value(scores[0], y);
    scores[0] = value.dscore;
    return value;
  }
  // Scores -> predictions: of the only one on the scale of y; of several the probability of each
  // class.
  double predict(float score) const noexcept { return one_->inverse_link(score); }
  void predict(std::span<const float> scores, double* to) const noexcept {
    softmax_probabilities(scores, to);
  }

  bool in_domain(float y) const noexcept {
    if (one_) return one_->in_domain(y);
    return y >= 0 && y < static_cast<float>(n_scores_) && y == std::floor(y);
  }
  std::string_view name() const noexcept { return one_ ? one_->name : kSoftmax; }
  std::string domain() const;  // of y, in words

 private:
  const Loss* one_;  // null: softmax
  std::size_t n_scores_;
};

}  // namespace pyfm
