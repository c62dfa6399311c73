// Layers one behind the other.
#pragma once
#include <memory>
#include <vector>

#include "nn/layer.h"

namespace pyfm {

using Layers = std::vector<std::unique_ptr<Layer>>;

// Names of parameters and buffers begin with the number of their layer: "0.weight".
class Sequential final : public Layer {
 public:
  // Throws std::invalid_argument where there is no layer, or the widths do not chain.
  explicit Sequential(Layers);
  std::vector<Parameter> parameters() const override;
  void bind(std::span<const ParameterMemory>) override;
  std::vector<Buffer> buffers() override;
  void start_epoch() override;
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;
  bool in_place() const override;
  Layer& front() noexcept { return *layers_.front(); }

 private:
  bool in_place_from(std::size_t first) const;

  Layers layers_;
};

// Appends what a layer inside of another has, its path before the names.
void append_parameters(std::vector<Parameter>& to, const std::string& path, const Layer&);
void append_buffers(std::vector<Buffer>& to, const std::string& path, Layer&);

// Random numbers of the i-th layer inside of another.
Pass inner_pass(const Pass&, std::size_t i);

}  // namespace pyfm
