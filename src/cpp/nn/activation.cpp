#include "nn/activation.h"

#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include "nn/kernels.h"
#include "nn/pieces.h"

namespace pyfm {

namespace {

struct Entry {
  std::string_view name;
  float alpha;
};
constexpr std::array<Entry, kActivations> kEntries = {{{"identity", 0},
                                                       {"relu", 0},
                                                       {"leaky_relu", 0.01f},
                                                       {"elu", 1},
                                                       {"sigmoid", 0},
                                                       {"tanh", 0},
                                                       {"gelu", 0}}};

}  // namespace

std::string_view name(ActivationKind kind) noexcept {
  return kEntries[static_cast<std::size_t>(kind)].name;
}

Activation find_activation(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kActivations; ++i) {
    if (kEntries[i].name == name) return {static_cast<ActivationKind>(i), kEntries[i].alpha};
    known += (known.empty() ? "'" : ", '") + std::string(kEntries[i].name) + "'";
  }
  throw std::invalid_argument("activation: expected one of " + known + ", found '" +
                              std::string(name) + "'");
}

void check(const Activation& activation) {
  if (!(activation.alpha >= 0 && std::isfinite(activation.alpha)))
    throw std::invalid_argument("alpha: expected a finite number of at least 0, found " +
                                std::to_string(activation.alpha));
}

ActivationLayer::ActivationLayer(Index n, const Activation& activation)
    : Layer(n, n), activation_(activation) {
  check(activation);
}

void ActivationLayer::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  predict(x, out, workspace, pass.team);
}

void ActivationLayer::backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx,
                               Workspace&, const Pass& pass) {
  if (!dx.data) return;
  const ConstMatrix known = known_from_output(activation_.kind) ? out : x;
  const auto kernel = nn_kernels().activations[static_cast<std::size_t>(activation_.kind)].backward;
  for_row_pieces(x.rows, pass.team, [&](Index first, Index n) {
    kernel(known.slice(first, n), dout.slice(first, n), activation_.alpha, dx.slice(first, n),
           nullptr);
  });
}

void ActivationLayer::predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const {
  const auto kernel = nn_kernels().activations[static_cast<std::size_t>(activation_.kind)].forward;
  for_row_pieces(x.rows, team, [&](Index first, Index n) {
    kernel(x.slice(first, n), nullptr, activation_.alpha, out.slice(first, n));
  });
}

}  // namespace pyfm
