#include "model/shape.h"

namespace pyfm {

namespace {

Index round_up(Index n, Index unit) {
  return (n + unit - 1) / unit * unit;
}

// Vectors are padded to whole SSE/NEON registers: every level can read them without masks.
constexpr int kBlockUnit = 4;
// Rows of FFM are padded to whole AVX-512 registers, in float32 whole cache lines.
constexpr Index kLine = 16;

}  // namespace

PartShape linear_shape(int slots) {
  PartShape shape;
  shape.stride = linear_stride(slots);
  return shape;
}

PartShape fm_shape(int n_factors, int slots) {
  PartShape shape;
  shape.n_factors = n_factors;
  shape.block = static_cast<int>(round_up(n_factors, kBlockUnit));
  shape.width = shape.block;
  shape.stride = shape.width * (1 + slots);
  return shape;
}

PartShape ffm_shape(Index n_fields, int n_factors, int slots) {
  PartShape shape = fm_shape(n_factors, slots);
  shape.n_fields = static_cast<int>(n_fields);
  shape.width = round_up(n_fields * shape.block, kLine);
  shape.stride = shape.width * (1 + slots);
  return shape;
}

}  // namespace pyfm
