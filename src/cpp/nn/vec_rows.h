// Walks over matrices in vectors. Include it after the Vec of the level.
#pragma once
#include "model/lanes.h"
#include "nn/matrix.h"

namespace pyfm::PYFM_ISA {
namespace {

struct FullVector {
  [[gnu::always_inline]] static Vec load(const float* p) { return Vec::load(p); }
  [[gnu::always_inline]] static void store(Vec v, float* p) { v.store(p); }
};

// The first floats of a vector: the others are loaded as 0, and not stored.
struct Tail {
  Index n;

  Vec load(const float* p) const {
    float lanes[Vec::lanes] = {};
    for (Index i = 0; i < n; ++i) lanes[i] = p[i];
    return Vec::load(lanes);
  }
  void store(Vec v, float* p) const {
    float lanes[Vec::lanes];
    v.store(lanes);
    for (Index i = 0; i < n; ++i) p[i] = lanes[i];
  }
};

// f(column, lanes) for vector after vector; `lanes` loads and stores.
template <class F>
[[gnu::always_inline]] inline void for_columns(Index columns, F&& f) {
  Index at = 0;
  for (; at + Vec::lanes <= columns; at += Vec::lanes) f(at, FullVector{});
  if (at < columns) f(at, Tail{columns - at});
}

// out = f(in …), element by element; out may be one of them.
template <class F, class... M>
[[gnu::always_inline]] inline void map(Matrix out, F&& f, M... in) {
  const bool flat = out.contiguous() && (in.contiguous() && ...);
  const Index rows = flat ? 1 : out.rows, columns = flat ? out.rows * out.columns : out.columns;
  for (Index i = 0; i < rows; ++i)
    for_columns(columns, [&](Index at, auto lanes) __attribute__((always_inline)) {
      lanes.store(f(lanes.load(in.row(i) + at)...), out.row(i) + at);
    });
}

// Adds up n numbers for each column: `constants(column, lanes)` gives what all rows of it need,
// `add(row, column, lanes, constants, sums)` adds to `Vec sums[n]`. Takes `block` rows at a time;
// their sums are added to those before, which rounds less often than adding row after row. Of one
// matrix 8 are best; with several matrices prefetchers lose their way among so many rows.
template <int n, int block, class C, class F>
[[gnu::always_inline]] inline void sum_columns(Index rows, Index columns, float* sums,
                                               C&& constants, F&& add) {
  for (Index j = 0; j < n * columns; ++j) sums[j] = 0;
  const auto add_rows = [&](Index first, auto count) __attribute__((always_inline)) {
    for_columns(columns, [&](Index at, auto lanes) __attribute__((always_inline)) {
      const auto c = constants(at, lanes);
      Vec s[n];
      unroll<n>([&](auto k) __attribute__((always_inline)) { s[k] = Vec(0.0f); });
      unroll<count.value>([&](auto r)
                              __attribute__((always_inline)) { add(first + r, at, lanes, c, s); });
      unroll<n>([&](auto k) __attribute__((always_inline)) {
        float* const sum = sums + k * columns + at;
        lanes.store(lanes.load(sum) + s[k], sum);
      });
    });
  };
  Index i = 0;
  for (; i + block <= rows; i += block) add_rows(i, std::integral_constant<int, block>{});
  if constexpr (block > 1)
    for (; i < rows; ++i) add_rows(i, std::integral_constant<int, 1>{});
}

// Σ over the columns of f(column, lanes), n sums at once. What a tail lacks must count as 0.
template <int n, class F>
[[gnu::always_inline]] inline void sum_row(Index columns, float (&sums)[n], F&& f) {
  Vec s[n];
  unroll<n>([&](auto k) { s[k] = Vec(0.0f); });
  for_columns(columns, [&](Index at, auto lanes) { f(at, lanes, s); });
  unroll<n>([&](auto k) { sums[k] = sum(s[k]); });
}

// The lanes of a tail that hold columns.
inline Vec keep(FullVector, Vec v) {
  return v;
}
inline Vec keep(Tail tail, Vec v) {
  float lanes[Vec::lanes];
  v.store(lanes);
  return tail.load(lanes);
}

struct None {};
inline constexpr auto no_constants = [](Index, auto) { return None{}; };

}  // namespace
}  // namespace pyfm::PYFM_ISA
