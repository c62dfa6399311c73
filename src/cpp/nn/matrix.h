// Matrices of float32, row by row: views of memory that somebody else owns.
//
// Kernel units include this header: its functions are forced inline, as in base/random.h.
#pragma once
#include "base/types.h"

namespace pyfm {

struct ConstMatrix {
  const float* data = nullptr;
  Index rows = 0, columns = 0;
  Index stride = 0;  // floats from one row to the next, at least `columns`; the gap is not touched

  [[gnu::always_inline]] const float* row(Index i) const noexcept { return data + i * stride; }
  [[gnu::always_inline]] ConstMatrix slice(Index first, Index n) const noexcept {
    return {row(first), n, columns, stride};
  }
  [[gnu::always_inline]] bool contiguous() const noexcept { return stride == columns; }
};

struct Matrix {
  float* data = nullptr;
  Index rows = 0, columns = 0;
  Index stride = 0;

  [[gnu::always_inline]] operator ConstMatrix() const noexcept {
    return {data, rows, columns, stride};
  }
  [[gnu::always_inline]] float* row(Index i) const noexcept { return data + i * stride; }
  [[gnu::always_inline]] Matrix slice(Index first, Index n) const noexcept {
    return {row(first), n, columns, stride};
  }
  [[gnu::always_inline]] bool contiguous() const noexcept { return stride == columns; }
};

}  // namespace pyfm
