// The kernels of one SIMD level. A unit that includes this defines PYFM_ISA first and includes the
// level's Vec.
#pragma once
#include <bit>

#include "base/random.h"
#include "nn/activations.h"
#include "nn/kernels.h"
#include "nn/norms.h"
#include "nn/products.h"

namespace pyfm::PYFM_ISA {
namespace {

void add(ConstMatrix a, ConstMatrix b, Matrix out) noexcept {
  map(out, [](Vec x, Vec y) { return x + y; }, a, b);
}

void column_sums(ConstMatrix x, float* sums) noexcept {
  sum_columns<1, 8>(x.rows, x.columns, sums, no_constants,
                    [&](Index i, Index at, auto lanes, None, Vec(&s)[1]) {
                      s[0] = s[0] + lanes.load(x.row(i) + at);
                    });
}

// Srivastava et al. 2014. A plain loop without branches, which compilers turn into vectors: most of
// it is about integers.
void dropout(ConstMatrix x, Index first, const DropoutView& view, Matrix out) noexcept {
  const auto columns = static_cast<std::uint32_t>(x.columns), threshold = view.threshold;
  for (Index i = 0; i < x.rows; ++i) {
    const std::uint64_t key = random_key(view.key, static_cast<std::uint64_t>(first + i));
    const float* const from = x.row(i);
    float* const to = out.row(i);
    for (std::uint32_t j = 0; j < columns; ++j) {
      const std::uint32_t keep = -static_cast<std::uint32_t>(random_bits(key, j) >> 8 >= threshold);
      to[j] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(from[j] * view.scale) & keep);
    }
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA

#define PYFM_CONCAT(a, b) a##b
#define PYFM_TABLE_NAME(isa) PYFM_CONCAT(nn_kernels_, isa)

namespace pyfm {
extern const NnKernels PYFM_TABLE_NAME(PYFM_ISA);
const NnKernels PYFM_TABLE_NAME(PYFM_ISA) = {
    .activations = PYFM_ISA::Activations::kernels,
    .add = PYFM_ISA::add,
    .column_sums = PYFM_ISA::column_sums,
    .dots = PYFM_ISA::dots,
    .weighted_sums = PYFM_ISA::weighted_sums,
    .outer = PYFM_ISA::outer,
    .add_coded = PYFM_ISA::add_coded,
    .sum_by_code = PYFM_ISA::sum_by_code,
    .prelu_forward = PYFM_ISA::prelu_forward,
    .prelu_backward = PYFM_ISA::prelu_backward,
    .column_moments = PYFM_ISA::column_moments,
    .batch_norm_forward = {PYFM_ISA::batch_norm_forward<false>, PYFM_ISA::batch_norm_forward<true>},
    .batch_norm_sums = {PYFM_ISA::batch_norm_sums<false>, PYFM_ISA::batch_norm_sums<true>},
    .batch_norm_backward = {PYFM_ISA::batch_norm_backward<false>,
                            PYFM_ISA::batch_norm_backward<true>},
    .layer_norm_forward = PYFM_ISA::layer_norm_forward,
    .layer_norm_backward = PYFM_ISA::layer_norm_backward,
    .dropout = PYFM_ISA::dropout,
};
}  // namespace pyfm
