// The kernels of the SIMD level in force, as constant tables of functions.
#pragma once
#include <span>
#include <string_view>

#include "data/row.h"
#include "model/scratch.h"
#include "model/view.h"
#include "optim/params.h"
#include "simd/level.h"

namespace pyfm {

// The additive parts that models are made of.
enum class Part { linear, fm, ffm };

// Everything that one part does under one optimizer.
struct PartKernels {
  // Score of the row; leaves in `scratch` what `update` needs, and may fetch scratch.next.
  float (*score)(const PartView&, const Entries&, Scratch& scratch) noexcept;
  // One optimizer step on every weight that the row touched, dscore = d loss / d score.
  void (*update)(const PartView&, float dscore, Scratch& scratch) noexcept;
  // Initial weights and optimizer state.
  void (*init_row)(const PartView&, FeatureId) noexcept;
  // These two are null in parts that need no such thing.
  void (*init_bias)(const PartView&) noexcept;
  void (*init_scratch)(const PartView&, Scratch&) noexcept;
};

struct KernelTable {
  std::span<const OptimizerInfo> optimizers;
  std::span<const int> block_sizes;
  const PartKernels* kernels;  // (parts, optimizers, block sizes)

  const PartKernels& find(Part part, std::size_t optimizer, int block) const noexcept;
};

const KernelTable& kernel_table(SimdLevel level) noexcept;

// Optimizers are the same on every level.
std::span<const OptimizerInfo> optimizers() noexcept;

}  // namespace pyfm
