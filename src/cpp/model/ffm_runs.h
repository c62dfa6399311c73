// Runs: fields of a row without a gap between them. Their blocks stand side by side in every row.
#pragma once
#include <bit>
#include <cstdint>

#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

// Which of 64 fields, a bit each, are in runs of B, and which others in runs of half as many. A
// stretch of fields is cut into whole runs from its first one on.
template <int B>
[[gnu::always_inline]] inline FieldRuns find_runs(std::uint64_t present) {
  static_assert(B == 2 || B == 4);
  constexpr std::uint64_t every = ~std::uint64_t{0} / ((1 << B) - 1);  // B-th bits
  const std::uint64_t first = present & ~(present << 1);               // of a stretch
  std::uint64_t starts = 0;  // fields that are a multiple of B behind the first of their stretch
  for (int i = 0; i < B; ++i) {
    // The sum's carry clears the stretches whose first bit is added.
    const std::uint64_t stretches = present & ~(present + (first & every << i));
    starts |= stretches & every << i;
  }
  const std::uint64_t two = starts & present >> 1;
  if constexpr (B == 2) return {.whole = two * 3, .half = 0, .end = 0};
  const std::uint64_t four = two & present >> 2 & present >> 3;
  return {.whole = four * 15, .half = (two & ~four) * 3, .end = 0};
}

struct RunSizes {
  int in_whole = 0, in_half = 0;  // fields in such runs
  int absent = -1;                // the first field that is not there
};

// Of n entries, in the order of their fields: field(m) is that of the m-th.
template <int B, class Field>
[[gnu::always_inline]] inline RunSizes find_all_runs(int n, FieldRuns* runs, const Field& field) {
  RunSizes sizes;
  for (int m = 0, base = 0; m < n; base += 64, ++runs) {
    std::uint64_t present = 0;
    for (; m < n && field(m) < base + 64; ++m) present |= std::uint64_t{1} << (field(m) - base);
    *runs = find_runs<B>(present);
    runs->end = m;
    sizes.in_whole += std::popcount(runs->whole);
    sizes.in_half += std::popcount(runs->half);
    if (sizes.absent < 0 && ~present != 0) sizes.absent = base + std::countr_one(present);
  }
  if (sizes.absent < 0) sizes.absent = n;
  return sizes;
}

// list(m, place) for each of n entries: those in whole runs first, then those in half runs. Rows
// are random, so that nothing branches on what is absent.
template <class Field, class List>
[[gnu::always_inline]] inline void list_runs_first(int n, const RunSizes& sizes,
                                                   const FieldRuns* runs, const Field& field,
                                                   const List& list) {
  int place[] = {sizes.in_whole + sizes.in_half, sizes.in_whole, 0};
  for (int m = 0; m < n; ++runs) {
    const FieldRuns r = *runs;
    for (; m < r.end; ++m) {
      const int bit = field(m) % 64;
      list(m, place[2 * (r.whole >> bit & 1) + (r.half >> bit & 1)]++);
    }
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
