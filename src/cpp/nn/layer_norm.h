// Layer normalization (Ba, Kiros, Hinton 2016): γ (x - μ) / √(σ² + ε) + β, with μ and σ² of each
// row.
#pragma once
#include <vector>

#include "nn/layer.h"

namespace pyfm {

class LayerNorm final : public Layer {
 public:
  // Throws std::invalid_argument.
  LayerNorm(Index n, double epsilon = 1e-5);
  std::vector<Parameter> parameters() const override;
  void bind(std::span<const ParameterMemory>) override;
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;
  bool in_place() const override { return true; }

 private:
  void normalize(ConstMatrix x, Matrix out, float* moments, Team& team) const;

  float epsilon_;
  ParameterMemory gamma_, beta_;
};

}  // namespace pyfm
