// f(x W + b): W is (n_in, n_out).
#pragma once
#include <vector>

#include "nn/activation.h"
#include "nn/coded_input.h"
#include "nn/layer.h"

namespace pyfm {

struct DenseOptions {
  bool bias = true;
  Activation activation = {};  // one whose slope follows from its output
  Start start = {Scheme::he_uniform};
};

class Dense final : public Layer {
 public:
  // Throws std::invalid_argument.
  Dense(Index n_in, Index n_out, const DenseOptions& = {});
  std::vector<Parameter> parameters() const override;
  void bind(std::span<const ParameterMemory>) override;
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;

  // What the following calls of `forward` and `backward` take for x and for its gradient; null: x
  // itself again. Only where there is more than one output.
  void set_input(const CodedInput* input) noexcept { coded_ = input; }

 private:
  // Adds the bias and applies the activation, tile by tile.
  auto finish(Matrix out) const;
  // Of layers with one output, which BLAS does not multiply: W without gaps.
  const float* column(Workspace&) const;
  void predict_column(ConstMatrix x, Matrix out, Workspace&, Team& team) const;
  void backward_column(ConstMatrix x, ConstMatrix dz, Matrix dx, Workspace&, const Pass&);
  ConstMatrix before_activation(ConstMatrix out, ConstMatrix dout, Workspace&, const Pass&) const;

  DenseOptions options_;
  ParameterMemory weight_, bias_;
  const CodedInput* coded_ = nullptr;
};

}  // namespace pyfm
