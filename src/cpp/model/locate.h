// Where the entries of a row lie in the table of a part.
#pragma once
#include "model/scratch.h"
#include "model/view.h"

namespace pyfm::PYFM_ISA {
namespace {

// Addresses in the table, or of this thread's copies where it has them.
inline void locate(const PartView& view, const Entries& row, void** at) noexcept {
  char* const shared = static_cast<char*>(view.rows);
  char* const hot = static_cast<char*>(view.hot);
  const auto bytes = static_cast<std::uint32_t>(view.shape.row_bytes());
  const RowId n_hot = view.n_hot;
#pragma GCC unroll 4
  for (int i = 0; i < row.size; ++i)
    at[i] = (row.row[i] < n_hot ? hot : shared) + std::uint64_t{row.row[i]} * bytes;
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
