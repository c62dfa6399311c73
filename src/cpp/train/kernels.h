// The kernels of the SIMD level in force, as constant tables of functions.
#pragma once
#include <span>
#include <string_view>

#include "model/scratch.h"
#include "model/view.h"
#include "optim/params.h"
#include "simd/level.h"

namespace pyfm {

// The additive parts that models are made of.
enum class Part { linear, fm, ffm };

// Everything that one part does under one optimizer.
struct PartKernels {
  // Addresses of the row's entries, for its `at`.
  void (*locate)(const PartView&, const Entries&, void** at) noexcept;
  // Score of the row; leaves in `scratch` what `update` needs, and may fetch scratch.next.
  float (*score)(const PartView&, const Entries&, Scratch& scratch) noexcept;
  // |d score / d weights|² of the row that was scored last.
  float (*squared_slope)(const PartView&, const Scratch&) noexcept;
  // One optimizer step on every weight that the row touched, dscore = d loss / d score.
  void (*update)(const PartView&, float dscore, Scratch& scratch) noexcept;
  // Initial weights of a row that belongs to this feature.
  void (*init_weights)(const PartView&, RowId, FeatureId) noexcept;
  // The optimizer state that belongs to the weights of a row.
  void (*init_slots)(const PartView&, RowId) noexcept;
  // What this thread's copy of a row has gained goes to the row that all threads share.
  void (*merge_row)(const PartView&, RowId, const Scratch&) noexcept;
  // These two are null in parts that need no such thing.
  void (*init_bias)(const PartView&) noexcept;
  void (*init_scratch)(const PartView&, Scratch&) noexcept;
};

struct OptimizerSpec {
  std::size_t index = 0;  // into optimizers()
  OptimizerParams params;
};

struct KernelTable {
  std::span<const OptimizerInfo> optimizers;
  std::span<const int> block_sizes;
  const PartKernels* kernels;  // (parts, optimizers, plain or proximal, block sizes, storages)

  const PartKernels& find(Part, const OptimizerSpec&, const PartShape&) const noexcept;
};

const KernelTable& kernel_table(SimdLevel level) noexcept;

// Optimizers are the same on every level.
std::span<const OptimizerInfo> optimizers() noexcept;

}  // namespace pyfm
