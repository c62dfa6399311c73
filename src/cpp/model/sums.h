// Sums of a block of examples on their way to the gradients of a batch.
#pragma once
#include "base/fetch.h"
#include "model/batch.h"
#include "model/lanes.h"
#include "model/view.h"

namespace pyfm::PYFM_ISA {
namespace {

// Rows of `width` numbers. New ones have numbers that grow.
inline void add_sums(const PartView& view, const RowSum* rows, const std::uint32_t* at, Index n,
                     std::uint32_t first_new, const float* sums, float* gradients) noexcept {
  const Index width = view.shape.width;
  constexpr Index ahead = 4, line = 16;
  for (Index i = 0; i < n; ++i) {
    const float* const from = sums + rows[i].number * width;
    const float* const next = gradients + at[i + ahead < n ? i + ahead : i] * width;
    float* const to = gradients + at[i] * width;
    if (at[i] < first_new) {
      for_lanes(width, [&](Index d, Lanes lanes) __attribute__((always_inline)) {
        if (d % line == 0) fetch_to_write(next + d);
        lanes.store(lanes.load(to + d) + lanes.load(from + d), to + d);
      });
    } else {
      first_new = at[i] + 1;
      for_lanes(width, [&](Index d, Lanes lanes) __attribute__((always_inline)) {
        if (d % line == 0) fetch_to_write(next + d);
        lanes.store(lanes.load(from + d), to + d);
      });
    }
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
