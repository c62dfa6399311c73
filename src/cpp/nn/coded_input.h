// Products with a matrix some of whose blocks of columns repeat few vectors, as the vectors of a
// field do in a batch of examples: every vector is multiplied once, however many rows have it.
#pragma once
#include <cstdint>
#include <span>

#include "nn/gemm.h"
#include "nn/kernels.h"

namespace pyfm {

// The matrix is (m, blocks × width): block after block, either as it is or by codes.
struct CodedInput {
  struct Block {
    Index block;
    Index first, n;  // its vectors
  };
  Index width = 0;
  std::span<const Index> plain_blocks;
  Matrix plain, dplain;  // (m, plain blocks × width)
  std::span<const Block> coded_blocks;
  Matrix vectors, dvectors;              // (their number, width): of all coded blocks
  const std::uint32_t* codes = nullptr;  // (m, coded blocks): rows of `vectors`

  const std::uint32_t* codes_of(Index row) const {
    return codes + row * static_cast<Index>(coded_blocks.size());
  }
};

// x w and its gradients; `backward` goes on with what `multiply` of the same batch left in the
// workspace.
class CodedProduct {
 public:
  // x lives as long as this.
  CodedProduct(const CodedInput& x, Workspace& workspace) : x_(x), workspace_(workspace) {}

  // out = x w; after each tile `done(tile)`, while the cache holds it.
  template <class Done>
  void multiply(ConstMatrix w, Matrix out, Team& team, Done&& done) {
    const Matrix products = multiply_vectors(w, team);
    const auto add = nn_kernels().add_coded;
    const auto n = static_cast<Index>(x_.coded_blocks.size());
    pyfm::multiply({x_.plain}, {plain_rows(w)}, out, team, [&](const Tile& tile) {
      const ConstMatrix some = {products.data + tile.column, products.rows, tile.columns,
                                products.stride};
      add(some, x_.codes_of(tile.row), n, tile.of(out));
      done(tile);
    });
  }

  // dw = xᵀ d where dw has data, and x's gradients d wᵀ where `wanted`.
  void backward(ConstMatrix w, ConstMatrix d, Matrix dw, bool wanted, Team& team);

 private:
  Matrix multiply_vectors(ConstMatrix w, Team&);
  Matrix sum_by_vector(ConstMatrix d, Team&);
  Matrix plain_rows(ConstMatrix w);
  Matrix block(const CodedInput::Block& b, Matrix vectors) const {
    return vectors.slice(b.first, b.n);
  }

  const CodedInput& x_;
  Workspace& workspace_;
};

}  // namespace pyfm
