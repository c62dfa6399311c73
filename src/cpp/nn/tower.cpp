#include "nn/tower.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "nn/activation.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/prelu.h"
#include "nn/residual.h"

namespace pyfm {

namespace {

constexpr std::string_view kPRelu = "prelu";

// He's scheme counts on about half of the inputs being cut off.
Scheme scheme(const TowerSpec& spec, const Activation& f) {
  const bool bounded = f.kind == ActivationKind::sigmoid || f.kind == ActivationKind::tanh;
  const bool linear = f.kind == ActivationKind::identity && spec.activation != kPRelu;
  return bounded || linear ? Scheme::xavier_uniform : Scheme::he_uniform;
}

void add_hidden(Layers& layers, const TowerSpec& spec, Index n_in, Index n_out) {
  const Activation f = spec.activation == kPRelu ? Activation{} : find_activation(spec.activation);
  const Activation in_dense = !spec.batch_norm && known_from_output(f.kind) ? f : Activation{};
  BatchNormOptions norm = spec.batch_norm_options;
  norm.relu = f.kind == ActivationKind::relu;
  layers.push_back(std::make_unique<Dense>(n_in, n_out,
                                           DenseOptions{.bias = !spec.batch_norm,  // β is one
                                                        .activation = in_dense,
                                                        .start = {scheme(spec, f)}}));
  if (spec.batch_norm) layers.push_back(std::make_unique<BatchNorm>(n_out, norm));
  const bool done = f.kind == in_dense.kind || (spec.batch_norm && norm.relu);
  if (!done) layers.push_back(std::make_unique<ActivationLayer>(n_out, f));
  if (spec.activation == kPRelu) layers.push_back(std::make_unique<PRelu>(n_out));
  if (spec.dropout != 0) layers.push_back(std::make_unique<Dropout>(n_out, spec.dropout));
}

}  // namespace

std::unique_ptr<Sequential> make_tower(const TowerSpec& spec) {
  if (spec.residual < 0)
    throw std::invalid_argument(
        "residual: expected the number of hidden layers in a block, found " +
        std::to_string(spec.residual));
  Layers layers;
  Index width = spec.n_in;
  const auto n = static_cast<Index>(spec.hidden.size());
  const Index step = std::max(1, spec.residual);
  for (Index i = 0; i < n; i += step) {
    Layers block;
    for (Index j = i; j < std::min(i + step, n); ++j) {
      const Index next = spec.hidden[static_cast<std::size_t>(j)];
      add_hidden(block, spec, width, next);
      width = next;
    }
    if (spec.residual)
      layers.push_back(std::make_unique<Residual>(std::make_unique<Sequential>(std::move(block))));
    else
      std::move(block.begin(), block.end(), std::back_inserter(layers));
  }
  layers.push_back(
      std::make_unique<Dense>(width, 1, DenseOptions{.start = {Scheme::xavier_uniform}}));
  return std::make_unique<Sequential>(std::move(layers));
}

}  // namespace pyfm
