#include "nn/dense.h"

#include <limits>
#include <stdexcept>

#include "nn/gemm.h"

namespace pyfm {

namespace {

constexpr Index kMaxWidth = std::numeric_limits<int>::max();  // BLAS's integers

// Matrices of the workspace; number 1 is multiply_over_batch's.
enum { kBeforeActivation = 0, kColumn = 2 };

void check_width(Index n) {
  if (n < 1 || n > kMaxWidth)
    throw std::invalid_argument("width of a layer: expected 1 to " + std::to_string(kMaxWidth) +
                                ", found " + std::to_string(n));
}

}  // namespace

Dense::Dense(Index n_in, Index n_out, const DenseOptions& options)
    : Layer(n_in, n_out), options_(options) {
  check_width(n_in);
  check_width(n_out);
  check(options.activation);
  if (!known_from_output(options.activation.kind))
    throw std::invalid_argument("a dense layer cannot apply " +
                                std::string(name(options.activation.kind)) +
                                " in passing: give it a layer of its own");
}

std::vector<Parameter> Dense::parameters() const {
  std::vector<Parameter> all = {{"weight", n_in(), n_out(), options_.start}};
  if (options_.bias) all.push_back({"bias", 1, n_out(), {}});
  return all;
}

void Dense::bind(std::span<const ParameterMemory> memory) {
  require_sgemm();
  weight_ = memory[0];
  if (options_.bias) bias_ = memory[1];
}

auto Dense::finish(Matrix out) const {
  const Activation& f = options_.activation;
  const auto kernel = nn_kernels().activations[static_cast<std::size_t>(f.kind)].forward;
  const bool plain = !options_.bias && f.kind == ActivationKind::identity;
  return [this, kernel, plain, out](const Tile& tile) {
    if (plain) return;
    const Matrix z = tile.of(out);
    kernel(z, options_.bias ? bias_.value.data + tile.column : nullptr, options_.activation.alpha,
           z);
  };
}

void Dense::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  if (!coded_) return predict(x, out, workspace, pass.team);
  CodedProduct(*coded_, workspace.child(0)).multiply(weight_.value, out, pass.team, finish(out));
}

const float* Dense::column(Workspace& workspace) const {
  const Matrix w = workspace.matrix(kColumn, 1, n_in());
  for (Index i = 0; i < n_in(); ++i) w.data[i] = *weight_.value.row(i);
  return w.data;
}

void Dense::predict_column(ConstMatrix x, Matrix out, Workspace& workspace, Team& team) const {
  const Activation& f = options_.activation;
  const NnKernels& kernels = nn_kernels();
  const auto activate = kernels.activations[static_cast<std::size_t>(f.kind)].forward;
  const float *const w = column(workspace), *const bias =
                                                options_.bias ? bias_.value.data : nullptr;
  for_row_pieces(x.rows, team, [&](Index first, Index n) {
    const Matrix z = out.slice(first, n);
    kernels.dots(x.slice(first, n), w, z);
    activate(z, bias, f.alpha, z);
  });
}

void Dense::backward_column(ConstMatrix x, ConstMatrix dz, Matrix dx, Workspace& workspace,
                            const Pass& pass) {
  const NnKernels& kernels = nn_kernels();
  if (weight_.gradient.data) {
    const double* const sums =
        sum_pieces(x.rows, n_in(), pass.team, workspace, [&](Index first, Index n, float* to) {
          kernels.weighted_sums(x.slice(first, n), dz.slice(first, n), to);
        });
    for (Index i = 0; i < n_in(); ++i) *weight_.gradient.row(i) = static_cast<float>(sums[i]);
  }
  if (!dx.data) return;
  const float* const w = column(workspace);
  for_row_pieces(x.rows, pass.team, [&](Index first, Index n) {
    kernels.outer(dz.slice(first, n), w, dx.slice(first, n));
  });
}

void Dense::predict(ConstMatrix x, Matrix out, Workspace& workspace, Team& team) const {
  if (n_out() == 1) return predict_column(x, out, workspace, team);
  multiply({x}, {weight_.value}, out, team, finish(out));
}

// d loss / d (x W + b); its sums are the gradient of b.
ConstMatrix Dense::before_activation(ConstMatrix out, ConstMatrix dout, Workspace& workspace,
                                     const Pass& pass) const {
  const Activation& f = options_.activation;
  const bool plain = f.kind == ActivationKind::identity, sum = bias_.gradient.data;
  if (plain && !sum) return dout;
  const NnKernels& kernels = nn_kernels();
  const auto slope = kernels.activations[static_cast<std::size_t>(f.kind)].backward;
  const Matrix dz = plain ? Matrix{} : workspace.matrix(kBeforeActivation, dout.rows, n_out());
  const double* const sums =
      sum_pieces(dout.rows, n_out(), pass.team, workspace, [&](Index first, Index n, float* to) {
        if (plain) return kernels.column_sums(dout.slice(first, n), to);
        slope(out.slice(first, n), dout.slice(first, n), f.alpha, dz.slice(first, n), to);
      });
  if (sum) std::copy_n(sums, n_out(), bias_.gradient.data);
  return plain ? dout : dz;
}

void Dense::backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx,
                     Workspace& workspace, const Pass& pass) {
  const ConstMatrix dz = before_activation(out, dout, workspace, pass);
  if (n_out() == 1) return backward_column(x, dz, dx, workspace, pass);
  if (coded_)
    return CodedProduct(*coded_, workspace.child(0))
        .backward(weight_.value, dz, weight_.gradient, dx.data, pass.team);
  if (weight_.gradient.data) multiply_over_batch(x, dz, weight_.gradient, workspace, pass.team);
  if (dx.data) multiply({dz}, {weight_.value, true}, dx, pass.team);
}

}  // namespace pyfm
