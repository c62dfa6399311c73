#include "nn/gemm.h"

#include <atomic>
#include <stdexcept>

namespace pyfm {

namespace {

std::atomic<Sgemm> sgemm{nullptr};

// Tiles of a product; see docs/performance.md for what they cost.
constexpr Index kTileHeight = 256, kTileWidth = 256;

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

Tiles::Tiles(Index product_rows, Index product_columns)
    : rows(product_rows),
      columns(product_columns),
      height(part_of(product_rows, kTileHeight)),
      width(part_of(product_columns, kTileWidth)) {}

Tile Tiles::operator[](Index i) const {
  const Index row = i / n_across() * height, column = i % n_across() * width;
  return {row, column, std::min(height, rows - row), std::min(width, columns - column)};
}

// BLAS counts columns first and so takes every matrix for its transpose: cᵀ = bᵀ aᵀ.
void multiply(const Factor& a, const Factor& b, Matrix c, const Tile& tile, bool add) {
  const ConstMatrix left = a.some_rows(tile.row, tile.rows);
  const ConstMatrix right = b.some_columns(tile.column, tile.columns);
  const Matrix to = tile.of(c);
  char trans_left = a.transposed ? 'T' : 'N', trans_right = b.transposed ? 'T' : 'N';
  int m = static_cast<int>(to.columns), n = static_cast<int>(to.rows);
  int k = static_cast<int>(a.columns());
  int stride_left = static_cast<int>(left.stride), stride_right = static_cast<int>(right.stride);
  int stride = static_cast<int>(to.stride);
  float alpha = 1, beta = add ? 1 : 0;
  sgemm.load(std::memory_order_relaxed)(
      &trans_right, &trans_left, &m, &n, &k, &alpha, const_cast<float*>(right.data), &stride_right,
      const_cast<float*>(left.data), &stride_left, &beta, to.data, &stride);
}

}  // namespace pyfm
