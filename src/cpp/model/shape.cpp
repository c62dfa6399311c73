#include "model/shape.h"

namespace pyfm {

namespace {

Index round_up(Index n, Index unit) {
  return (n + unit - 1) / unit * unit;
}

// Vectors are padded to whole SSE/NEON registers: every level can read them without masks.
constexpr int kBlockUnit = 4;
// Rows of FFM are padded to whole cache lines, which are also whole AVX-512 registers.
constexpr Index kLine = 16;

}  // namespace

// Weight and slots of FTRL are padded to 4 floats, so that they never straddle a cache line.
PartShape linear_shape(Index n_features, int slots) {
  PartShape shape;
  shape.n_features = n_features;
  shape.stride = slots == 2 ? 4 : 1 + slots;
  return shape;
}

PartShape fm_shape(Index n_features, int n_factors, int slots) {
  PartShape shape;
  shape.n_features = n_features;
  shape.n_factors = n_factors;
  shape.block = static_cast<int>(round_up(n_factors, kBlockUnit));
  shape.width = shape.block;
  shape.stride = shape.width * (1 + slots);
  return shape;
}

PartShape ffm_shape(Index n_features, Index n_fields, int n_factors, int slots) {
  PartShape shape = fm_shape(n_features, n_factors, slots);
  shape.n_fields = static_cast<int>(n_fields);
  shape.width = round_up(n_fields * shape.block, kLine);
  shape.stride = shape.width * (1 + slots);
  return shape;
}

}  // namespace pyfm
