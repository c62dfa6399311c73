#include "nn/sequential.h"

#include <stdexcept>
#include <utility>

#include "base/random.h"

namespace pyfm {

namespace {

const Layers& checked(const Layers& layers) {
  if (layers.empty()) throw std::invalid_argument("layers: expected at least one, found none");
  for (std::size_t i = 1; i < layers.size(); ++i)
    if (layers[i]->n_in() != layers[i - 1]->n_out())
      throw std::invalid_argument(
          "layers: expected widths that chain, found layer " + std::to_string(i) + " that takes " +
          std::to_string(layers[i]->n_in()) + " columns behind one that gives " +
          std::to_string(layers[i - 1]->n_out()));
  return layers;
}

}  // namespace

void append_parameters(std::vector<Parameter>& to, const std::string& path, const Layer& layer) {
  for (Parameter& p : layer.parameters()) {
    p.name = path + "." + p.name;
    to.push_back(std::move(p));
  }
}

void append_buffers(std::vector<Buffer>& to, const std::string& path, Layer& layer) {
  for (Buffer& b : layer.buffers()) to.push_back({path + "." + b.name, b.values});
}

Pass inner_pass(const Pass& pass, std::size_t i) {
  return {pass.team, random_key(pass.key, i)};
}

Sequential::Sequential(Layers layers)
    : Layer{checked(layers).front()->n_in(), layers.back()->n_out()}, layers_(std::move(layers)) {}

std::vector<Parameter> Sequential::parameters() const {
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    append_parameters(all, std::to_string(i), *layers_[i]);
  return all;
}

void Sequential::bind(std::span<const ParameterMemory> memory) {
  for (const auto& layer : layers_) {
    const std::size_t n = layer->parameters().size();
    layer->bind(memory.first(n));
    memory = memory.subspan(n);
  }
}

std::vector<Buffer> Sequential::buffers() {
  std::vector<Buffer> all;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    append_buffers(all, std::to_string(i), *layers_[i]);
  return all;
}

void Sequential::start_epoch() {
  for (const auto& layer : layers_) layer->start_epoch();
}

// Matrix i of the workspace is the output of layer i, but for the last; the next two are gradients.
void Sequential::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  const std::size_t last = layers_.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const Matrix y = i == last ? out : workspace.matrix(i, x.rows, layers_[i]->n_out());
    layers_[i]->forward(x, y, workspace.child(i), inner_pass(pass, i));
    x = y;
  }
}

void Sequential::backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx,
                          Workspace& workspace, const Pass& pass) {
  const std::size_t last = layers_.size() - 1;
  for (std::size_t i = last + 1; i-- > 0;) {
    const Layer& layer = *layers_[i];
    const ConstMatrix in = i == 0 ? x : workspace.matrix(i - 1, x.rows, layer.n_in());
    const Matrix din = i == 0 ? dx : workspace.matrix(last + i % 2, x.rows, layer.n_in());
    layers_[i]->backward(in, out, dout, din, workspace.child(i), inner_pass(pass, i));
    out = in;
    dout = din;
  }
}

bool Sequential::in_place_from(std::size_t first) const {
  for (std::size_t i = first; i < layers_.size(); ++i)
    if (!layers_[i]->in_place()) return false;
  return true;
}

bool Sequential::in_place() const {
  return in_place_from(0);
}

// Two matrices in turns; a layer that can do so works in the one that it reads.
void Sequential::predict(ConstMatrix x, Matrix out, Workspace& workspace, Team& team) const {
  Matrix y;  // where x is, once it is no longer the caller's
  std::size_t turn = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = *layers_[i];
    if (in_place_from(i + 1))
      y = out;
    else if (!y.data || !layer.in_place())
      y = workspace.matrix(turn++ % 2, x.rows, layer.n_out());
    layer.predict(x, y, workspace.child(i), team);
    x = y;
  }
}

}  // namespace pyfm
