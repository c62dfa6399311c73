#include "nn/coded_input.h"

#include <algorithm>

namespace pyfm {

namespace {

constexpr Index kStrip = 64;  // columns whose sums by code a cache holds

// Matrices of the workspace; number 1 is multiply_over_batch's.
enum { kOfVectors = 0, kWeights = 2, kGradients = 3 };

void multiply_alone(const Factor& a, const Factor& b, Matrix c) {
  multiply(a, b, c, Tile{0, 0, c.rows, c.columns});
}

}  // namespace

Matrix CodedProduct::multiply_vectors(ConstMatrix w, Team& team) {
  const Matrix products = workspace_.matrix(kOfVectors, x_.vectors.rows, w.columns);
  team.pieces(static_cast<Index>(x_.coded_blocks.size()), [&](int, Index i) {
    const CodedInput::Block& b = x_.coded_blocks[static_cast<std::size_t>(i)];
    multiply_alone({block(b, x_.vectors)}, {w.slice(b.block * x_.width, x_.width)},
                   block(b, products));
  });
  return products;
}

// In the place of the products, which nobody needs any more.
Matrix CodedProduct::sum_by_vector(ConstMatrix d, Team& team) {
  const Matrix sums = workspace_.matrix(kOfVectors, x_.vectors.rows, d.columns);
  const auto kernel = nn_kernels().sum_by_code;
  const auto n = static_cast<Index>(x_.coded_blocks.size());
  team.pieces((d.columns + kStrip - 1) / kStrip, [&](int, Index i) {
    const Index at = i * kStrip, columns = std::min(kStrip, d.columns - at);
    const Matrix to = {sums.data + at, sums.rows, columns, sums.stride};
    for (Index u = 0; u < to.rows; ++u) std::fill_n(to.row(u), columns, 0.0f);
    kernel({d.data + at, d.rows, columns, d.stride}, x_.codes, n, to);
  });
  return sums;
}

Matrix CodedProduct::plain_rows(ConstMatrix w) {
  const Matrix rows = workspace_.matrix(kWeights, x_.plain.columns, w.columns);
  Index to = 0;
  for (const Index block : x_.plain_blocks)
    for (Index r = block * x_.width; r < (block + 1) * x_.width; ++r)
      std::copy_n(w.row(r), w.columns, rows.row(to++));
  return rows;
}

void CodedProduct::backward(ConstMatrix w, ConstMatrix d, Matrix dw, bool wanted, Team& team) {
  const Matrix sums = sum_by_vector(d, team);
  if (dw.data && x_.plain.columns > 0) {
    const Matrix rows = workspace_.matrix(kGradients, x_.plain.columns, dw.columns);
    multiply_over_batch(x_.plain, d, rows, workspace_, team);
    Index from = 0;
    for (const Index block : x_.plain_blocks)
      for (Index r = block * x_.width; r < (block + 1) * x_.width; ++r)
        std::copy_n(rows.row(from++), dw.columns, dw.row(r));
  }
  if (wanted && x_.plain.columns > 0)
    pyfm::multiply({d}, {workspace_.matrix(kWeights, x_.plain.columns, w.columns), true}, x_.dplain,
                   team);
  team.pieces(static_cast<Index>(x_.coded_blocks.size()), [&](int, Index i) {
    const CodedInput::Block& b = x_.coded_blocks[static_cast<std::size_t>(i)];
    const Index first = b.block * x_.width;
    if (dw.data)
      multiply_alone({block(b, x_.vectors), true}, {block(b, sums)}, dw.slice(first, x_.width));
    if (wanted)
      multiply_alone({block(b, sums)}, {w.slice(first, x_.width), true}, block(b, x_.dvectors));
  });
}

}  // namespace pyfm
