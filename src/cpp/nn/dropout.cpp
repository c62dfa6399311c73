#include "nn/dropout.h"

#include <cmath>
#include <stdexcept>

#include "nn/kernels.h"
#include "nn/pieces.h"

namespace pyfm {

Dropout::Dropout(Index n, double rate) : Layer(n, n), rate_(rate) {
  if (!(rate >= 0 && rate < 1))
    throw std::invalid_argument("dropout: expected a rate of at least 0, below 1, found " +
                                std::to_string(rate));
}

void Dropout::drop(ConstMatrix x, Matrix out, const Pass& pass) const {
  const auto kernel = nn_kernels().dropout;
  const DropoutView view{pass.key, static_cast<std::uint32_t>(std::lround(rate_ * 0x1p24)),
                         static_cast<float>(1 / (1 - rate_))};
  for_row_pieces(x.rows, pass.team, [&](Index first, Index n) {
    kernel(x.slice(first, n), first, view, out.slice(first, n));
  });
}

void Dropout::forward(ConstMatrix x, Matrix out, Workspace&, const Pass& pass) {
  drop(x, out, pass);
}

void Dropout::backward(ConstMatrix, ConstMatrix, ConstMatrix dout, Matrix dx, Workspace&,
                       const Pass& pass) {
  if (dx.data) drop(dout, dx, pass);
}

void Dropout::predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const {
  if (x.data == out.data) return;
  const auto copy = nn_kernels().activations[static_cast<std::size_t>(ActivationKind::identity)];
  for_row_pieces(x.rows, team, [&](Index first, Index n) {
    copy.forward(x.slice(first, n), nullptr, 0, out.slice(first, n));
  });
}

}  // namespace pyfm
