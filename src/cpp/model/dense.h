// The weights of a dense layer, as a table: a row for each row of the matrix. They are stepped as
// rows of factors are; scores come from the layers (see nn/).
#pragma once
#include "model/factor_rows.h"

namespace pyfm::PYFM_ISA {
namespace {

struct DenseRows : FactorRows<float> {
  static Index gradient_width(const PartShape& shape) noexcept { return shape.width; }

  static constexpr auto squared_norms = &FactorRows<float>::squared_norms<false>;

  template <class Optimizer>
  static void step_rows(const PartView& view, const RowId* rows, Index n, Index n_listed,
                        const float* gradients, const Scratch& s) noexcept {
    FactorRows<float>::step_all<Optimizer, false>(view, rows, n, n_listed, gradients, s);
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
