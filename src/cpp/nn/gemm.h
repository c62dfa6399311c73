// Matrix products, by the BLAS that whoever loads the library brings along.
#pragma once
#include "nn/pieces.h"

namespace pyfm {

// sgemm of the Fortran interface with 32-bit integers. It has to run on the calling thread alone:
// the library's own threads call it side by side.
using Sgemm = void (*)(char* trans_a, char* trans_b, int* m, int* n, int* k, float* alpha, float* a,
                       int* lda, float* b, int* ldb, float* beta, float* c, int* ldc);
void set_sgemm(Sgemm) noexcept;

// Throws std::logic_error where none was set.
void require_sgemm();

struct Factor {
  ConstMatrix matrix;
  bool transposed = false;

  Index columns() const { return transposed ? matrix.rows : matrix.columns; }
  ConstMatrix some_rows(Index first, Index n) const;
  ConstMatrix some_columns(Index first, Index n) const;
};

// A rectangle of a product.
struct Tile {
  Index row, column, rows, columns;

  Matrix of(Matrix c) const { return {c.row(row) + column, rows, columns, c.stride}; }
};

// How a product is cut into tiles, of at most this size: large enough to keep BLAS busy, small
// enough that a batch has some for each of several threads.
struct Tiles {
  Index rows, columns, height, width;

  Tiles(Index product_rows, Index product_columns, Index max_height, Index max_width);
  Index size() const { return n_down() * n_across(); }
  Tile operator[](Index i) const;

 private:
  Index n_down() const { return (rows + height - 1) / height; }
  Index n_across() const { return (columns + width - 1) / width; }
};

// Of a product with a row for each example.
Tiles batch_tiles(Index rows, Index columns);

// One tile of c = a b, on the calling thread.
void multiply(const Factor& a, const Factor& b, Matrix c, const Tile&);

// c = a b, with a row for each example; after each tile `done(tile)`, while the cache holds it.
template <class Done>
void multiply(const Factor& a, const Factor& b, Matrix c, Team& team, Done&& done) {
  const Tiles tiles = batch_tiles(c.rows, c.columns);
  team.pieces(tiles.size(), [&](int, Index i) {
    const Tile tile = tiles[i];
    multiply(a, b, c, tile);
    done(tile);
  });
}
inline void multiply(const Factor& a, const Factor& b, Matrix c, Team& team) {
  multiply(a, b, c, team, [](const Tile&) {});
}

// c = aᵀ b, sums over the examples: those of pieces of the batch are added in their order. They lie
// in matrix 1 of the workspace.
void multiply_over_batch(ConstMatrix a, ConstMatrix b, Matrix c, Workspace&, Team& team);

}  // namespace pyfm
