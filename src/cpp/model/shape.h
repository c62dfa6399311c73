// Layout of the tables of each part. It does not depend on the SIMD level, so that a model can be
// trained on one level and used on another.
#pragma once
#include "model/view.h"

namespace pyfm {

// Of a weight of the linear part and its slots. Those of FTRL with L1 are padded to 4 numbers, so
// that they never straddle a cache line.
constexpr Index linear_stride(int slots) {
  return slots == 2 ? 4 : 1 + slots;
}

// `slots`: numbers of optimizer state beside each weight.
PartShape linear_shape(int slots);
PartShape fm_shape(int n_factors, int slots);
PartShape ffm_shape(Index n_fields, int n_factors, int slots);

}  // namespace pyfm
