// The numbers of a table row, whatever its storage and padding.
#pragma once
#include "base/half.h"
#include "model/view.h"

namespace pyfm {

template <class F>
void with_storage(Storage storage, F&& f) {
  if (storage == Storage::float32) return f(float{});
  f(Half{});
}

// f(number in the table, number of the outside) for all weights in use of one row.
template <class Number, class Outside, class F>
void for_weights(const PartShape& shape, Number* row, Outside* outside, F&& f) {
  for (int field = 0; field < shape.n_fields; ++field)
    for (int d = 0; d < shape.n_factors; ++d) f(row[field * shape.block + d], *outside++);
}

// In the table.
inline Index weight_bytes(const PartShape& shape) {
  return shape.row_bytes() / shape.stride * shape.width;
}

inline Index weights_per_feature(const PartShape& shape) {
  return Index{shape.n_fields} * shape.n_factors;
}

}  // namespace pyfm
