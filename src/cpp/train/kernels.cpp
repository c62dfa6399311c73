#include "train/kernels.h"

namespace pyfm {

extern const KernelTable kernels_portable;
#ifdef PYFM_X86
extern const KernelTable kernels_sse2;
extern const KernelTable kernels_avx2;
#endif
#ifdef PYFM_AVX512
extern const KernelTable kernels_avx512;
#endif

const KernelTable& kernel_table(SimdLevel level) noexcept {
  switch (level) {
#ifdef PYFM_AVX512
    case SimdLevel::avx512:
      return kernels_avx512;
#endif
#ifdef PYFM_X86
    case SimdLevel::avx2:
      return kernels_avx2;
    case SimdLevel::sse2:
      return kernels_sse2;
#endif
    default:
      return kernels_portable;
  }
}

std::span<const OptimizerInfo> optimizers() noexcept {
  return kernels_portable.optimizers;
}

const PartKernels& KernelTable::find(Part part, const OptimizerSpec& optimizer,
                                     const PartShape& shape) const noexcept {
  const OptimizerParams& params = optimizer.params;
  const std::size_t proximal = params.l1 > 0 || params.clip_value < kNoLimit;
  std::size_t size = 0;  // the first serves every block size
  for (std::size_t i = 1; i < block_sizes.size(); ++i)
    if (block_sizes[i] == shape.block) size = i;
  const std::size_t row = static_cast<std::size_t>(part) * optimizers.size() + optimizer.index;
  return kernels[((row * 2 + proximal) * block_sizes.size() + size) * kStorages +
                 static_cast<std::size_t>(shape.storage)];
}

}  // namespace pyfm
