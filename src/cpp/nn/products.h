// Products with one column, which BLAS would prepare whole matrices for.
#pragma once
#include "nn/vec_rows.h"

namespace pyfm::PYFM_ISA {
namespace {

void dots(ConstMatrix x, const float* w, Matrix out) noexcept {
  for (Index i = 0; i < x.rows; ++i) {
    float dot[1];
    sum_row(x.columns, dot, [&](Index at, auto lanes, Vec(&s)[1]) {
      s[0] = fma(lanes.load(x.row(i) + at), lanes.load(w + at), s[0]);
    });
    *out.row(i) = dot[0];
  }
}

void weighted_sums(ConstMatrix x, ConstMatrix d, float* sums) noexcept {
  sum_columns<1, 8>(x.rows, x.columns, sums, no_constants,
                    [&](Index i, Index at, auto lanes, None, Vec(&s)[1]) {
                      s[0] = fma(lanes.load(x.row(i) + at), Vec(*d.row(i)), s[0]);
                    });
}

void outer(ConstMatrix d, const float* w, Matrix dx) noexcept {
  for (Index i = 0; i < dx.rows; ++i) {
    const Vec v(*d.row(i));
    for_columns(dx.columns,
                [&](Index at, auto lanes) { lanes.store(v * lanes.load(w + at), dx.row(i) + at); });
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
