// Parametric ReLU (He et al. 2015): x above 0, α x below, with an α of each column that is trained.
#pragma once
#include <vector>

#include "nn/layer.h"

namespace pyfm {

class PRelu final : public Layer {
 public:
  explicit PRelu(Index n) : Layer(n, n) {}
  std::vector<Parameter> parameters() const override;
  void bind(std::span<const ParameterMemory> memory) override { alpha_ = memory[0]; }
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;
  bool in_place() const override { return true; }

 private:
  ParameterMemory alpha_;
};

}  // namespace pyfm
