// Where the entries of a row lie in the table of a part.
#pragma once
#include <cstdint>

#include "model/scratch.h"
#include "model/view.h"

namespace pyfm::PYFM_ISA {
namespace {

// Addresses in the table, or of this thread's copies where it has them. Without a branch, since
// which entries have copies is as good as random.
inline void locate(const PartView& view, const Entries& row, void** at) noexcept {
  const auto shared = reinterpret_cast<std::uintptr_t>(view.rows);
  const auto to_hot = reinterpret_cast<std::uintptr_t>(view.hot) - shared;
  const auto bytes = static_cast<std::uint32_t>(view.shape.row_bytes());
  const RowId n_hot = view.n_hot, *const rows = row.row;
  const int size = row.size;
  for (int i = 0; i < size; ++i) {
    const std::uintptr_t offset = std::uint64_t{rows[i]} * bytes;
    const std::uintptr_t is_hot = rows[i] < n_hot;
    at[i] = reinterpret_cast<void*>(shared + offset + (to_hot & (0 - is_hot)));
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
