#include "nn/layer_norm.h"

#include <cmath>
#include <stdexcept>

#include "nn/kernels.h"
#include "nn/pieces.h"

namespace pyfm {

LayerNorm::LayerNorm(Index n, double epsilon) : Layer(n, n), epsilon_(static_cast<float>(epsilon)) {
  if (!(epsilon_ > 0 && std::isfinite(epsilon_)))
    throw std::invalid_argument("eps: expected a finite number above 0, found " +
                                std::to_string(epsilon));
}

std::vector<Parameter> LayerNorm::parameters() const {
  return {{"gamma", 1, n_out(), {Scheme::constant, 1}}, {"beta", 1, n_out(), {}}};
}

void LayerNorm::bind(std::span<const ParameterMemory> memory) {
  gamma_ = memory[0];
  beta_ = memory[1];
}

void LayerNorm::normalize(ConstMatrix x, Matrix out, float* moments, Team& team) const {
  const auto kernel = nn_kernels().layer_norm_forward;
  const LayerNormView with{gamma_.value.data, beta_.value.data, epsilon_};
  for_row_pieces(x.rows, team, [&](Index first, Index n) {
    kernel(x.slice(first, n), with, out.slice(first, n), moments ? moments + 2 * first : nullptr);
  });
}

void LayerNorm::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  normalize(x, out, workspace.matrix(0, x.rows, 2).data, pass.team);
}

void LayerNorm::predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const {
  normalize(x, out, nullptr, team);
}

void LayerNorm::backward(ConstMatrix x, ConstMatrix, ConstMatrix dout, Matrix dx,
                         Workspace& workspace, const Pass& pass) {
  const auto kernel = nn_kernels().layer_norm_backward;
  const LayerNormView with{gamma_.value.data, beta_.value.data, epsilon_};
  const float* const moments = workspace.matrix(0, x.rows, 2).data;
  const double* const sums =
      sum_pieces(x.rows, 2 * n_out(), pass.team, workspace, [&](Index first, Index n, float* to) {
        kernel(x.slice(first, n), dout.slice(first, n), with, moments + 2 * first,
               dx.data ? dx.slice(first, n) : Matrix{}, to);
      });
  if (gamma_.gradient.data) std::copy_n(sums, n_out(), gamma_.gradient.data);
  if (beta_.gradient.data) std::copy_n(sums + n_out(), n_out(), beta_.gradient.data);
}

}  // namespace pyfm
