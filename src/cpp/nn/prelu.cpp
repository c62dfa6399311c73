#include "nn/prelu.h"

#include "nn/kernels.h"
#include "nn/pieces.h"

namespace pyfm {

std::vector<Parameter> PRelu::parameters() const {
  return {{"alpha", 1, n_out(), {Scheme::constant, 0.25f}}};
}

void PRelu::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  predict(x, out, workspace, pass.team);
}

void PRelu::predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const {
  const auto kernel = nn_kernels().prelu_forward;
  for_row_pieces(x.rows, team, [&](Index first, Index n) {
    kernel(x.slice(first, n), alpha_.value.data, out.slice(first, n));
  });
}

void PRelu::backward(ConstMatrix x, ConstMatrix, ConstMatrix dout, Matrix dx, Workspace& workspace,
                     const Pass& pass) {
  const auto kernel = nn_kernels().prelu_backward;
  const double* const sums =
      sum_pieces(x.rows, n_out(), pass.team, workspace, [&](Index first, Index n, float* to) {
        kernel(x.slice(first, n), dout.slice(first, n), alpha_.value.data,
               dx.data ? dx.slice(first, n) : Matrix{}, to);
      });
  if (alpha_.gradient.data) std::copy_n(sums, n_out(), alpha_.gradient.data);
}

}  // namespace pyfm
