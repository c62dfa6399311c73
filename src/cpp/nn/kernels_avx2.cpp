#define PYFM_ISA avx2
#include "simd/vec_avx2.h"

#include "nn/kernels-inl.h"
