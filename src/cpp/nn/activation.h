// The activations that have no parameters of their own, and the layer that applies one.
#pragma once
#include <string_view>

#include "nn/kernels.h"
#include "nn/layer.h"

namespace pyfm {

struct Activation {
  ActivationKind kind = ActivationKind::identity;
  float alpha = 0;  // slope of leaky_relu below 0, and - alpha the limit of elu
};

std::string_view name(ActivationKind) noexcept;

// With the usual alpha. Throws std::invalid_argument that lists the names.
Activation find_activation(std::string_view name);

// Throws std::invalid_argument unless alpha is finite and not negative.
void check(const Activation&);

class ActivationLayer final : public Layer {
 public:
  ActivationLayer(Index n, const Activation&);
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;
  bool in_place() const override { return true; }

 private:
  Activation activation_;
};

}  // namespace pyfm
