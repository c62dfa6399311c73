#define PYFM_ISA sse2
#include "simd/vec_sse2.h"

#include "nn/kernels-inl.h"
