// Vectors of features as the input of a network: for each field Σ_j x_j V[j] over its entries, the
// fields side by side. Include it after the Vec of the level.
#pragma once
#include <algorithm>
#include <type_traits>

#include "model/batch.h"
#include "model/lanes.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

// Vectors of different fields touch one another: what a part of a vector would reach over is taken
// number by number.
inline Index in_vectors(Index k) {
  return k / 4 * 4;
}

template <class S>
inline void embed(const PartView& part, const Entries& row, Index n_fields, float* to) noexcept {
  const PartView view = part;
  const Index k = view.shape.n_factors;
  const auto add = [&](int e, auto is_first) __attribute__((always_inline)) {
    const S* const weights = static_cast<const S*>(row.at[e]);
    float* const vector = to + (row.field ? Index{row.field[e]} : e) * k;
    const Vec x(row.x[e]);
    for_lanes(in_vectors(k), [&](Index d, Lanes lanes) __attribute__((always_inline)) {
      const Vec before = is_first ? Vec(0.0f) : lanes.load(vector + d);
      lanes.store(fma(x, lanes.load(weights + d), before), vector + d);
    });
    for (Index d = in_vectors(k); d < k; ++d)
      vector[d] = (is_first ? 0 : vector[d]) + row.x[e] * to_float(weights[d]);
  };
  if (!row.field && row.size == n_fields) {
    for (int e = 0; e < row.size; ++e) add(e, std::true_type{});
  } else {
    std::fill_n(to, n_fields * k, 0.0f);
    for (int e = 0; e < row.size; ++e) add(e, std::false_type{});
  }
}

// Gradients as Fm has them: slabs of rows, and a number more for each row.
inline void add_embedded(const PartView& part, const Touch* touches, const std::uint32_t* at,
                         Index n, const EmbeddingGradients& of, float* gradients) noexcept {
  const EmbeddingGradients from = of;
  const Index k = part.shape.n_factors, width = part.shape.width;
  for (Index i = 0; i < n; ++i) {
    const Touch t = touches[i];
    const float* const vector = from.gradient + t.example * from.stride + Index{t.field} * k;
    float* const gradient = gradients + at[i] / kSlab * kSlab * (width + 1) + at[i] % kSlab * width;
    for_lanes(in_vectors(k), [&](Index d, Lanes lanes) __attribute__((always_inline)) {
      lanes.store(fma(Vec(t.x), lanes.load(vector + d), lanes.load(gradient + d)), gradient + d);
    });
    for (Index d = in_vectors(k); d < k; ++d) gradient[d] += t.x * vector[d];
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
