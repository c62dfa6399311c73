#define PYFM_ISA avx512
#include "simd/vec_avx512.h"

#include "nn/kernels-inl.h"
