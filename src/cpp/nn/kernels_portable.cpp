#define PYFM_ISA portable
#include "simd/vec_portable.h"

#include "nn/kernels-inl.h"
