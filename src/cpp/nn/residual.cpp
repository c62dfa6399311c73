#include "nn/residual.h"

#include <utility>

#include "nn/kernels.h"
#include "nn/pieces.h"
#include "nn/sequential.h"

namespace pyfm {

namespace {

enum { kInner, kProjection };

void add(ConstMatrix a, ConstMatrix b, Matrix out, Team& team) {
  const auto kernel = nn_kernels().add;
  for_row_pieces(out.rows, team, [&](Index first, Index n) {
    kernel(a.slice(first, n), b.slice(first, n), out.slice(first, n));
  });
}

}  // namespace

Residual::Residual(std::unique_ptr<Layer> inner, Start projection)
    : Layer(inner->n_in(), inner->n_out()), inner_(std::move(inner)) {
  if (n_in() != n_out())
    projection_ =
        std::make_unique<Dense>(n_in(), n_out(), DenseOptions{.bias = false, .start = projection});
}

std::vector<Parameter> Residual::parameters() const {
  std::vector<Parameter> all;
  append_parameters(all, "inner", *inner_);
  if (projection_) append_parameters(all, "projection", *projection_);
  return all;
}

void Residual::bind(std::span<const ParameterMemory> memory) {
  const std::size_t n = inner_->parameters().size();
  inner_->bind(memory.first(n));
  if (projection_) projection_->bind(memory.subspan(n));
}

std::vector<Buffer> Residual::buffers() {
  std::vector<Buffer> all;
  append_buffers(all, "inner", *inner_);
  return all;
}

// The inner layer's output is kept apart: its slope may follow from it.
void Residual::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  const Matrix y = workspace.matrix(kInner, x.rows, n_out());
  inner_->forward(x, y, workspace.child(kInner), inner_pass(pass, kInner));
  if (projection_) {
    projection_->forward(x, out, workspace.child(kProjection), pass);
    x = out;
  }
  add(x, y, out, pass.team);
}

void Residual::backward(ConstMatrix x, ConstMatrix, ConstMatrix dout, Matrix dx,
                        Workspace& workspace, const Pass& pass) {
  const Matrix y = workspace.matrix(kInner, x.rows, n_out());
  inner_->backward(x, y, dout, dx, workspace.child(kInner), inner_pass(pass, kInner));
  ConstMatrix past = dout;
  if (projection_) {
    const Matrix projected = dx.data ? workspace.matrix(kProjection, x.rows, n_in()) : Matrix{};
    projection_->backward(x, {}, dout, projected, workspace.child(kProjection), pass);
    past = projected;
  }
  if (dx.data) add(dx, past, dx, pass.team);
}

void Residual::predict(ConstMatrix x, Matrix out, Workspace& workspace, Team& team) const {
  inner_->predict(x, out, workspace.child(kInner), team);
  if (projection_) {
    const Matrix projected = workspace.matrix(kProjection, x.rows, n_out());
    projection_->predict(x, projected, workspace.child(kProjection), team);
    x = projected;
  }
  add(out, x, out, team);
}

}  // namespace pyfm
