// The network of a deep CTR model, above its embeddings: hidden layers, and a score.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/batch_norm.h"
#include "nn/sequential.h"

namespace pyfm {

struct TowerSpec {
  Index n_in = 0;
  std::vector<Index> hidden = {};   // widths; none makes a linear model of the input
  std::string activation = "relu";  // a name of nn/activation.h, or "prelu"
  bool batch_norm = false;          // before each activation
  BatchNormOptions batch_norm_options = {};
  double dropout = 0;  // after each activation
  int residual = 0;    // hidden layers in each residual block; 0: there are none
};

// (m, n_in) -> (m, 1). For each hidden width: dense, batch normalization, activation, dropout.
// Throws std::invalid_argument.
std::unique_ptr<Sequential> make_tower(const TowerSpec&);

}  // namespace pyfm
