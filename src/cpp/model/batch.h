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
  std::uint32_t example;  // of the block at hand
  float x;
};

// Facts of each example of a block that gradients depend on.
struct ExampleFacts {
  const float* dscore;  // (n,) d loss / d score, times the example's share in the batch
  const float* sum;     // (n, sum_stride) Scratch::sum after the example was scored
  Index sum_stride;
};

// Part of the gradient of the entries of one example: groups of fields [begin, end).
struct ExampleColumns {
  int begin, end;
  float dscore;
  float* const* gradient;  // of each entry, (width,)
  // Of the entries of Scratch::next, to be fetched into the cache meanwhile.
  float* const* next_gradient;
};

}  // namespace pyfm
