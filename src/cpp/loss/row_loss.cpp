#include "loss/row_loss.h"

#include <stdexcept>

namespace pyfm {

RowLoss::RowLoss(std::string_view loss_name, std::size_t n_scores)
    : one_(loss_name == kSoftmax ? nullptr : &find_loss(loss_name)), n_scores_(n_scores) {
  if ((n_scores > 1) != (one_ == nullptr))
    throw std::invalid_argument(
        "loss: expected 'softmax' for several scores and nothing else, found '" +
        std::string(loss_name) + "' for " + std::to_string(n_scores));
}

std::string RowLoss::domain() const {
  return one_ ? std::string(one_->domain) : "classes 0 to " + std::to_string(n_scores_ - 1);
}

}  // namespace pyfm
