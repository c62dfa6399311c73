// What a kernel sees of one part of a model: plain aggregates that cross the ISA border.
// Kernels take them by value: a vector store may alias any memory but that of locals, and what it
// may alias has to be loaded anew after it.
#pragma once
#include <cstdint>

#include "base/types.h"
#include "optim/params.h"

namespace pyfm {

// How the table of a part is laid out and started. A row belongs to one feature: n_fields vectors
// of `block` floats, padded to `width` floats, followed by the optimizer's slots, each as wide.
struct PartShape {
  Index n_features = 0;
  int n_fields = 1;   // vectors per feature; more than 1 only in FFM
  int n_factors = 1;  // floats per vector that are in use; the rest of `block` stays 0
  int block = 1;
  Index width = 1;
  Index stride = 1;                   // floats from one row to the next
  float init_low = 0, init_high = 0;  // initial weights are uniform on [low, high)
  std::uint64_t seed = 0;
};

struct PartView {
  PartShape shape;
  OptimizerParams params;
  float* rows;  // (n_features, stride)
  float* bias;  // (1 + slots,); null in parts without one

  [[gnu::always_inline]] float* row(FeatureId j) const noexcept {
    return rows + static_cast<Index>(j) * shape.stride;
  }
};

}  // namespace pyfm
