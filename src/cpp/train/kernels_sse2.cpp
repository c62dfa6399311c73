#define PYFM_ISA sse2
#include "simd/vec_sse2.h"
#include "train/kernels-inl.h"
