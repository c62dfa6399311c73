// What the kernels see of a batch, whose gradients are summed before any weight moves.
#pragma once
#include <cstdint>

#include "base/types.h"

namespace pyfm {

// Gradients of rows stand in slabs of so many rows.
inline constexpr Index kSlab = 32;

// An entry of an example, listed by the table row that it touches.
struct Touch {
  RowId row;
  std::uint16_t example;  // of the block at hand
  FieldId field;          // where a network wants it
  float x;
};

// Facts of each example of a block that gradients depend on.
struct ExampleFacts {
  const float* dscore;  // (n,) d loss / d score, times the example's share in the batch
  const float* sum;     // (n, sum_stride) Scratch::sum after the example was scored
  Index sum_stride;
};

// What the network's input would have to change by, of each example of a block.
struct EmbeddingGradients {
  const float* gradient;  // (n, stride): a vector for each field
  Index stride;
};

// A table row that a block of examples touches, and the number of its sums among the block's.
struct RowSum {
  RowId row;
  std::uint32_t number;
};

// No gradient has this number.
inline constexpr std::uint32_t kNoGradient = 0xffffffff;

}  // namespace pyfm
