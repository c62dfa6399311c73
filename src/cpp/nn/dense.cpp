#include "nn/dense.h"

#include <limits>
#include <stdexcept>

#include "nn/gemm.h"

namespace pyfm {

namespace {

constexpr Index kMaxWidth = std::numeric_limits<int>::max();  // BLAS's integers

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

void Dense::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  predict(x, out, workspace, pass.n_threads);
}

void Dense::predict(ConstMatrix x, Matrix out, Workspace&, int n_threads) const {
  const Activation& f = options_.activation;
  const auto kernel = nn_kernels().activations[static_cast<std::size_t>(f.kind)].forward;
  const bool plain = !options_.bias && f.kind == ActivationKind::identity;
  multiply({x}, {weight_.value}, out, n_threads, [&](const Tile& tile) {
    if (plain) return;
    const Matrix z = tile.of(out);
    kernel(z, options_.bias ? bias_.value.data + tile.column : nullptr, f.alpha, z);
  });
}

// d loss / d (x W + b); its sums are the gradient of b.
ConstMatrix Dense::before_activation(ConstMatrix out, ConstMatrix dout, Workspace& workspace,
                                     const Pass& pass) const {
  const Activation& f = options_.activation;
  const bool plain = f.kind == ActivationKind::identity, sum = bias_.gradient.data;
  if (plain && !sum) return dout;
  const NnKernels& kernels = nn_kernels();
  const auto slope = kernels.activations[static_cast<std::size_t>(f.kind)].backward;
  const Matrix dz = plain ? Matrix{} : workspace.matrix(0, dout.rows, n_out());
  const double* const sums = sum_pieces(
      dout.rows, n_out(), pass.n_threads, workspace, [&](Index first, Index n, float* to) {
        if (plain) return kernels.column_sums(dout.slice(first, n), to);
        slope(out.slice(first, n), dout.slice(first, n), f.alpha, dz.slice(first, n), to);
      });
  if (sum) std::copy_n(sums, n_out(), bias_.gradient.data);
  return plain ? dout : dz;
}

void Dense::backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx,
                     Workspace& workspace, const Pass& pass) {
  const ConstMatrix dz = before_activation(out, dout, workspace, pass);
  if (weight_.gradient.data)
    multiply_over_batch(x, dz, weight_.gradient, workspace, pass.n_threads);
  if (dx.data) multiply({dz}, {weight_.value, true}, dx, pass.n_threads);
}

}  // namespace pyfm
