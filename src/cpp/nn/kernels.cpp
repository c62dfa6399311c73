#include "nn/kernels.h"

namespace pyfm {

extern const NnKernels nn_kernels_portable;
#ifdef PYFM_X86
extern const NnKernels nn_kernels_sse2, nn_kernels_avx2;
#endif
#ifdef PYFM_AVX512
extern const NnKernels nn_kernels_avx512;
#endif

const NnKernels& nn_kernels() {
  switch (simd_level()) {
#ifdef PYFM_X86
    case SimdLevel::sse2:
      return nn_kernels_sse2;
    case SimdLevel::avx2:
      return nn_kernels_avx2;
#endif
#ifdef PYFM_AVX512
    case SimdLevel::avx512:
      return nn_kernels_avx512;
#endif
    default:
      return nn_kernels_portable;
  }
}

}  // namespace pyfm
