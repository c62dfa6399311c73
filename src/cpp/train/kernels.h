// The kernels of the SIMD level in force, as constant tables of functions.
#pragma once
#include <span>
#include <string_view>

#include "model/batch.h"
#include "model/scratch.h"
#include "model/view.h"
#include "optim/params.h"
#include "simd/level.h"

namespace pyfm {

// The additive parts that models are made of.
enum class Part { linear, fm, ffm, dense };

// Everything that one part does under one optimizer; what a part has no use for is null.
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
  // What this thread's copies of rows have gained goes to the rows that all threads share.
  void (*merge_rows)(const PartView&, RowId begin, RowId end, const Scratch&) noexcept;
  // Batches: numbers that the gradient of a row is made of.
  Index (*gradient_width)(const PartShape&) noexcept;
  // Adds what entries contribute to the gradients of their rows, of which touch i's is number at[i]
  // of `gradients`, (…, gradient_width). Null where a gradient needs whole examples.
  void (*add_touches)(const PartView&, const Touch*, const std::uint32_t* at, Index n,
                      const ExampleFacts&, float* gradients) noexcept;
  // The same of what a network sends back, where `embed` has written its input: a vector for each
  // field, (n_fields, n_factors).
  void (*embed)(const PartView&, const Entries&, Index n_fields, float* to) noexcept;
  void (*add_embedded)(const PartView&, const Touch*, const std::uint32_t* at, Index n,
                       const EmbeddingGradients&, float* gradients) noexcept;
  // Adds the gradient of the example that was scored last to those of the rows of its entries: of
  // parts that need whole examples, and of those that may stand beside them.
  void (*add_example)(const PartView&, float dscore, float* const* gradients, Scratch&) noexcept;
  // Adds n sums of a block, (…, gradient_width), to the gradients of their rows, of which sum i's
  // is number at[i]. Those from number `first_new` on hold nothing yet, and come in their order.
  void (*add_sums)(const PartView&, const RowSum*, const std::uint32_t* at, Index n,
                   std::uint32_t first_new, const float* sums, float* gradients) noexcept;
  // The sums of the squares of n rows' gradients, (n, gradient_width), one for each row.
  void (*squared_norms)(const PartView&, const RowId*, Index n, const float* gradients,
                        double* sums) noexcept;
  // One optimizer step on each of n rows, with the gradients, (n, gradient_width). They are
  // followed by rows that are stepped next, to n_listed rows in all.
  void (*step_rows)(const PartView&, const RowId*, Index n, Index n_listed, const float* gradients,
                    const Scratch&) noexcept;
  void (*step_bias)(const PartView&, float gradient) noexcept;
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
