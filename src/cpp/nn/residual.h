// Residual block (He et al. 2016): F(x) + x, or F(x) + x P where F changes the width.
#pragma once
#include <memory>
#include <vector>

#include "nn/dense.h"
#include "nn/layer.h"

namespace pyfm {

class Residual final : public Layer {
 public:
  explicit Residual(std::unique_ptr<Layer> inner, Start projection = {Scheme::xavier_uniform});
  std::vector<Parameter> parameters() const override;
  void bind(std::span<const ParameterMemory>) override;
  std::vector<Buffer> buffers() override;
  void start_epoch() override { inner_->start_epoch(); }
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;

 private:
  std::unique_ptr<Layer> inner_;
  std::unique_ptr<Dense> projection_;  // none where the widths agree
};

}  // namespace pyfm
