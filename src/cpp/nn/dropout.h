// Dropout (Srivastava et al. 2014), inverted: training drops each number with probability `rate`
// and scales the others by 1 / (1 - rate), prediction does nothing.
#pragma once
#include "nn/layer.h"

namespace pyfm {

// What is dropped is a pure function of (Pass::key, row, column).
class Dropout final : public Layer {
 public:
  // Throws std::invalid_argument unless 0 <= rate < 1.
  Dropout(Index n, double rate);
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;
  bool in_place() const override { return true; }

 private:
  void drop(ConstMatrix x, Matrix out, const Pass&) const;

  double rate_;
};

}  // namespace pyfm
