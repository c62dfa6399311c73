// How the work on a batch is cut into pieces. Where the cuts are depends on the sizes alone, and
// sums over pieces run in their order: results are the same for any number of threads.
#pragma once
#include <algorithm>

#include "base/team.h"
#include "nn/matrix.h"
#include "nn/workspace.h"

namespace pyfm {

// Rows whose sums are float32: few enough to be accurate, and to stay in the cache.
inline constexpr Index kPieceRows = 64;

constexpr Index n_pieces(Index rows) {
  return (rows + kPieceRows - 1) / kPieceRows;
}

// f(first row, rows) for each piece of a batch.
template <class F>
void for_row_pieces(Index rows, Team& team, F&& f) {
  team.pieces(n_pieces(rows), [&](int, Index i) {
    const Index first = i * kPieceRows;
    f(first, std::min(kPieceRows, rows - first));
  });
}

// The same from the last piece to the first: the cache still has what was read last.
template <class F>
void for_row_pieces_backwards(Index rows, Team& team, F&& f) {
  const Index n = n_pieces(rows);
  team.pieces(n, [&](int, Index i) {
    const Index first = (n - 1 - i) * kPieceRows;
    f(first, std::min(kPieceRows, rows - first));
  });
}

// Sums over the rows of a batch: f(first row, rows, sums) writes n float32 sums of a piece; they
// are added in float64. The result, n numbers, lies in the workspace.
template <class F>
const double* sum_pieces(Index rows, Index n, Team& team, Workspace& workspace, F&& f) {
  float* const sums = workspace.floats(n_pieces(rows) * n);
  for_row_pieces(rows, team,
                 [&](Index first, Index count) { f(first, count, sums + first / kPieceRows * n); });
  double* const total = workspace.doubles(n);
  std::fill_n(total, n, 0.0);
  for (Index i = 0; i < n_pieces(rows); ++i)
    for (Index j = 0; j < n; ++j) total[j] += sums[i * n + j];
  return total;
}

}  // namespace pyfm
