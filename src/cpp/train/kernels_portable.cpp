#define PYFM_ISA portable
#include "simd/vec_portable.h"
#include "train/kernels-inl.h"
