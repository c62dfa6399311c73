// Products with one column, which BLAS would prepare whole matrices for, and sums of rows by code.
#pragma once
#include "nn/vec_rows.h"

namespace pyfm::PYFM_ISA {
namespace {

void dots(ConstMatrix x, const float* w, Matrix out) noexcept {
  for (Index i = 0; i < x.rows; ++i) {
    float dot[1];
    sum_row(x.columns, dot, [&](Index at, auto lanes, Vec(&s)[1]) {
      s[0] = fma(lanes.load(x.row(i) + at), lanes.load(w + at), s[0]);
    });
    *out.row(i) = dot[0];
  }
}

void weighted_sums(ConstMatrix x, ConstMatrix d, float* sums) noexcept {
  sum_columns<1, 8>(x.rows, x.columns, sums, no_constants,
                    [&](Index i, Index at, auto lanes, None, Vec(&s)[1]) {
                      s[0] = fma(lanes.load(x.row(i) + at), Vec(*d.row(i)), s[0]);
                    });
}

void outer(ConstMatrix d, const float* w, Matrix dx) noexcept {
  for (Index i = 0; i < dx.rows; ++i) {
    const Vec v(*d.row(i));
    for_columns(dx.columns,
                [&](Index at, auto lanes) { lanes.store(v * lanes.load(w + at), dx.row(i) + at); });
  }
}

// f(column, number of vectors, lanes), four vectors at a time, then one.
template <class F>
[[gnu::always_inline]] inline void for_column_groups(Index columns, F&& f) {
  constexpr Index group = 4 * Vec::lanes;
  Index at = 0;
  for (; at + group <= columns; at += group) f(at, std::integral_constant<int, 4>{}, FullVector{});
  for_columns(columns - at,
              [&](Index j, auto lanes) { f(at + j, std::integral_constant<int, 1>{}, lanes); });
}

void add_coded(ConstMatrix table, const std::uint32_t* codes, Index n, Matrix out) noexcept {
  for (Index i = 0; i < out.rows; ++i) {
    const std::uint32_t* const code = codes + i * n;
    for_column_groups(out.columns, [&](Index at, auto count, auto lanes) {
      float* const to = out.row(i) + at;
      Vec s[count];
      unroll<count.value>([&](auto k) { s[k] = lanes.load(to + k * Vec::lanes); });
      for (Index c = 0; c < n; ++c) {
        const float* const from = table.row(code[c]) + at;
        unroll<count.value>([&](auto k) { s[k] = s[k] + lanes.load(from + k * Vec::lanes); });
      }
      unroll<count.value>([&](auto k) { lanes.store(s[k], to + k * Vec::lanes); });
    });
  }
}

void sum_by_code(ConstMatrix d, const std::uint32_t* codes, Index n, Matrix sums) noexcept {
  for (Index i = 0; i < d.rows; ++i) {
    const std::uint32_t* const code = codes + i * n;
    for_column_groups(d.columns, [&](Index at, auto count, auto lanes) {
      const float* const from = d.row(i) + at;
      Vec s[count];
      unroll<count.value>([&](auto k) { s[k] = lanes.load(from + k * Vec::lanes); });
      for (Index c = 0; c < n; ++c) {
        float* const to = sums.row(code[c]) + at;
        unroll<count.value>([&](auto k) {
          lanes.store(lanes.load(to + k * Vec::lanes) + s[k], to + k * Vec::lanes);
        });
      }
    });
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
