#include "nn/gemm.h"

#include <atomic>
#include <stdexcept>

#include "nn/kernels.h"

namespace pyfm {

namespace {

std::atomic<Sgemm> sgemm{nullptr};

// Sides of tiles, and rows of a batch in a piece; see docs/performance.md for what they cost.
constexpr Index kShort = 256, kLong = 512;
constexpr Index kMaxBatchPieces = 8;

// Equal parts, none longer than `most`, in whole vectors.
Index part_of(Index size, Index most) {
  const Index parts = std::max<Index>(1, (size + most - 1) / most);
  const Index part = (size + parts - 1) / parts;
  return std::max<Index>(1, (part + 15) / 16 * 16);
}

}  // namespace

void set_sgemm(Sgemm function) noexcept {
  sgemm.store(function);
}

void require_sgemm() {
  if (!sgemm.load()) throw std::logic_error("set_sgemm was not called: there is no BLAS");
}

ConstMatrix Factor::some_rows(Index first, Index n) const {
  return transposed ? ConstMatrix{matrix.data + first, matrix.rows, n, matrix.stride}
                    : matrix.slice(first, n);
}

ConstMatrix Factor::some_columns(Index first, Index n) const {
  return transposed ? matrix.slice(first, n)
                    : ConstMatrix{matrix.data + first, matrix.rows, n, matrix.stride};
}

Tiles::Tiles(Index product_rows, Index product_columns, Index max_height, Index max_width)
    : rows(product_rows),
      columns(product_columns),
      height(part_of(product_rows, max_height)),
      width(part_of(product_columns, max_width)) {}

Tile Tiles::operator[](Index i) const {
  const Index row = i / n_across() * height, column = i % n_across() * width;
  return {row, column, std::min(height, rows - row), std::min(width, columns - column)};
}

Tiles batch_tiles(Index rows, Index columns) {
  return {rows, columns, std::clamp(rows / 8, kShort, kLong), kLong};
}

// BLAS counts columns first and so takes every matrix for its transpose: cᵀ = bᵀ aᵀ.
void multiply(const Factor& a, const Factor& b, Matrix c, const Tile& tile) {
  const ConstMatrix left = a.some_rows(tile.row, tile.rows);
  const ConstMatrix right = b.some_columns(tile.column, tile.columns);
  const Matrix to = tile.of(c);
  char trans_left = a.transposed ? 'T' : 'N', trans_right = b.transposed ? 'T' : 'N';
  int m = static_cast<int>(to.columns), n = static_cast<int>(to.rows);
  int k = static_cast<int>(a.columns());
  int stride_left = static_cast<int>(left.stride), stride_right = static_cast<int>(right.stride);
  int stride = static_cast<int>(to.stride);
  float alpha = 1, beta = 0;
  sgemm.load(std::memory_order_relaxed)(
      &trans_right, &trans_left, &m, &n, &k, &alpha, const_cast<float*>(right.data), &stride_right,
      const_cast<float*>(left.data), &stride_left, &beta, to.data, &stride);
}

// With tiles alone each of them would need all rows of a and b prepared by BLAS once more.
void multiply_over_batch(ConstMatrix a, ConstMatrix b, Matrix c, Workspace& workspace, Team& team) {
  const Index most = std::max(kShort, (a.rows + kMaxBatchPieces - 1) / kMaxBatchPieces);
  const Index length = part_of(a.rows, most),
              n = std::max<Index>(1, (a.rows + length - 1) / length);
  const Tiles tiles(c.rows, c.columns, n < kMaxBatchPieces ? kShort : kLong, kLong);
  const Matrix sums = workspace.matrix(1, (n - 1) * c.rows, c.columns);
  team.pieces(n * tiles.size(), [&](int, Index i) {
    const Index piece = i / tiles.size(), first = piece * length;
    const Index rows = std::min(length, a.rows - first);
    const Matrix to = piece == 0 ? c : sums.slice((piece - 1) * c.rows, c.rows);
    multiply({a.slice(first, rows), true}, {b.slice(first, rows)}, to, tiles[i % tiles.size()]);
  });
  const auto add = nn_kernels().add;
  for_row_pieces(n > 1 ? c.rows : 0, team, [&](Index first, Index rows) {
    const Matrix to = c.slice(first, rows);
    for (Index i = 0; i < n - 1; ++i) add(to, sums.slice(i * c.rows + first, rows), to);
  });
}

}  // namespace pyfm
