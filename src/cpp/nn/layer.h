// What every layer of a network can do, on batches: matrices with a row for each example.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/team.h"
#include "nn/initialize.h"
#include "nn/matrix.h"
#include "nn/workspace.h"

namespace pyfm {

// Weights that are trained. Their memory is the owner's (see Layer::bind).
struct Parameter {
  std::string name;  // "weight", "bias", "gamma", "beta" or "alpha", after the path of its layer
  Index rows, columns;
  Start start;
};

// Values and gradients may have gaps between their rows, which belong to the owner. A gradient
// without data is not computed.
struct ParameterMemory {
  Matrix value, gradient;
};

// State that is not trained, such as the statistics of batch normalization.
struct Buffer {
  std::string name;
  std::span<double> values;
};

struct Pass {
  Team& team;
  std::uint64_t key = 0;  // of the batch's random numbers; forward and backward get the same
};

// One virtual call per batch and layer. Results do not depend on the number of threads, and the
// sums over a batch are accurate to float32 (see nn/pieces.h).
class Layer {
 public:
  Layer(Index n_in, Index n_out) : n_in_(n_in), n_out_(n_out) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  Index n_in() const noexcept { return n_in_; }
  Index n_out() const noexcept { return n_out_; }

  virtual std::vector<Parameter> parameters() const { return {}; }
  // Where the parameters are, in the order of `parameters()`; before the first batch. The memory
  // may be bound anew at any time between batches.
  virtual void bind(std::span<const ParameterMemory>) {}
  virtual std::vector<Buffer> buffers() { return {}; }
  // Statistics of the batches that follow are those of a new epoch.
  virtual void start_epoch() {}

  // Training: x is (m, n_in), out (m, n_out), apart from one another. Throws std::invalid_argument
  // where a batch cannot be trained on.
  virtual void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) = 0;
  // After `forward` of the same batch, whose x and out are unchanged: assigns the gradients of the
  // parameters, and dx where it has data. dout is (m, n_out), dx (m, n_in), apart from it.
  virtual void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                        const Pass&) = 0;
  // Prediction: callers on several threads bring a workspace each.
  virtual void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const = 0;
  // Whether `predict` may write over its input.
  virtual bool in_place() const { return false; }

 private:
  Index n_in_, n_out_;
};

}  // namespace pyfm
