// Linear terms: b + Σ_j x_j w_j. The bias is a weight without regularization.
//
// The weights lie scattered: with their slots they are collected, and put back one by one.
#pragma once
#include <algorithm>
#include <cstring>

#include "base/fetch.h"
#include "model/batch.h"
#include "model/lanes.h"
#include "model/scratch.h"
#include "model/shape.h"
#include "model/slope.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Linear {
  static constexpr auto squared_slope = &linear_squared_slope;

  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
#pragma GCC unroll 4
    for (int i = 0; i < s.next.size; ++i) fetch_to_write(s.next.at[i]);
    if (s.trains) collect(view.shape.stride, row, s.collected);
    const auto weight = [&](int i) { return *static_cast<const float*>(row.at[i]); };
    const float sum = row.equal ? row.x[0] * sum_of(row.size, weight)
                                : sum_of(row.size, [&](int i) { return row.x[i] * weight(i); });
    return view.bias[0] + sum;
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    const Optimizer optimizer(view.params);
    constexpr Index n = linear_stride(Optimizer::info.slots);
    // Lanes past the end hold leftovers of earlier rows; nothing of them is put back.
    for (int at = 0; at < s.row.size; at += Vec::lanes) {
      alignas(64) float stepped[Vec::lanes * n];
      step_all<n>(optimizer, s.collected + at * n, Vec(dscore) * Vec::load(s.row.x + at), stepped);
      const int size = std::min(Vec::lanes, s.row.size - at);
      for (int i = 0; i < size; ++i) {
        void* const weight = s.row.at[at + i];
        // Unless the weight was stepped since it was collected: the feature occurs twice in the row
        // (or another thread was here), and its next step starts from where it is now.
        if (std::memcmp(weight, s.collected + (at + i) * n, n * sizeof(float)) == 0)
          copy<n>(stepped + i * n, weight);
        else
          step_one(optimizer, static_cast<float*>(weight), dscore * s.row.x[at + i]);
      }
    }
    step_one(without_penalty<Optimizer>(view), view.bias, dscore);
  }

  static Index gradient_width(const PartShape&) noexcept { return 1; }

  static void add_touches(const PartView&, const Touch* touches, const std::uint32_t* at, Index n,
                          const ExampleFacts& f, float* gradients) noexcept {
    for (Index i = 0; i < n; ++i) gradients[at[i]] += f.dscore[touches[i].example] * touches[i].x;
  }

  static void add_example(const PartView&, float dscore, float* const* gradients,
                          Scratch& s) noexcept {
    for (int i = 0; i < s.row.size; ++i) *gradients[i] += dscore * s.row.x[i];
  }

  static void add_sums(const PartView&, const RowSum* rows, const std::uint32_t* at, Index n,
                       std::uint32_t first_new, const float* sums, float* gradients) noexcept {
    for (Index i = 0; i < n; ++i) {
      const float before = at[i] < first_new ? gradients[at[i]] : 0.0f;
      gradients[at[i]] = before + sums[rows[i].number];
      first_new = std::max(first_new, at[i] + 1);
    }
  }

  static void squared_norms(const PartView&, const RowId*, Index n, const float* gradients,
                            double* sums) noexcept {
    for (Index i = 0; i < n; ++i)
      sums[i] = static_cast<double>(gradients[i]) * static_cast<double>(gradients[i]);
  }

  template <class Optimizer>
  static void step_rows(const PartView& part, const RowId* rows, Index n, Index n_listed,
                        const float* gradients, const Scratch&) noexcept {
    const PartView view = part;
    const Optimizer optimizer(view.params);
    constexpr Index stride = linear_stride(Optimizer::info.slots);
    constexpr int lanes = Vec::lanes;
    alignas(64) float old[lanes * stride] = {}, stepped[lanes * stride], g[lanes] = {};
    for (Index at = 0; at < n; at += lanes) {
      const int size = static_cast<int>(std::min<Index>(lanes, n - at));
      for (int i = 0; i < size; ++i) {
        const Index next = std::min<Index>(at + i + 2 * lanes, n_listed - 1);
        fetch_to_write(view.row<float>(rows[next]));
        copy<stride>(view.row<float>(rows[at + i]), old + i * stride);
      }
      std::copy_n(gradients + at, size, g);
      step_all<stride>(optimizer, old, Vec::load(g), stepped);
      for (int i = 0; i < size; ++i)
        copy<stride>(stepped + i * stride, view.row<float>(rows[at + i]));
    }
  }

  template <class Optimizer>
  static void step_bias(const PartView& view, float gradient) noexcept {
    step_one(without_penalty<Optimizer>(view), view.bias, gradient);
  }

  static void init_weights(const PartView& view, RowId r, FeatureId) { *view.row<float>(r) = 0; }

  template <class Optimizer>
  static void init_slots(const PartView& view, RowId r) {
    init_one(Optimizer(view.params), view.row<float>(r));
  }

  template <class Optimizer>
  static void init_bias(const PartView& view) {
    init_one(without_penalty<Optimizer>(view), view.bias);
  }

  // As for rows of factors (model/factor_rows.h). Row 0 belongs to no feature: here it is the bias.
  template <class Optimizer>
  static void merge_rows(PartView view, RowId begin, RowId end, Scratch) {
    if (begin == 0)
      merge_one(without_penalty<Optimizer>(view), view.shared_bias, view.bias, view.base_bias);
    const Optimizer optimizer(view.params);
    constexpr Index stride = linear_stride(Optimizer::info.slots);
    for (Index at = std::max<Index>(begin, 1) * stride; at < end * stride; at += stride)
      merge_one(optimizer, static_cast<float*>(view.rows) + at, static_cast<float*>(view.hot) + at,
                static_cast<float*>(view.base) + at);
  }

 private:
  template <class Optimizer>
  static Optimizer without_penalty(const PartView& view) {
    OptimizerParams params = view.params;
    params.l1 = params.l2 = params.weight_decay = 0;
    return Optimizer(params);
  }

  // What the update begins with. Not there: what was stored in pieces just now is slow to load
  // as a vector.
  static void collect(Index stride, const Entries& row, float* to) {
    const auto all = [&](auto n) {
      void* const* const at = row.at;
#pragma GCC unroll 4
      for (int i = 0; i < row.size; ++i) copy<n>(at[i], to + i * n);
    };
    if (stride == 1)
      all(std::integral_constant<Index, 1>{});
    else if (stride == 2)
      all(std::integral_constant<Index, 2>{});
    else
      all(std::integral_constant<Index, 4>{});
  }

  // Σ term(i), in sums that do not wait for each other.
  template <class F>
  static float sum_of(int size, F&& term) {
    float sums[4] = {};
    int i = 0;
    for (; i + 4 <= size; i += 4)
      for (int j = 0; j < 4; ++j) sums[j] += term(i + j);
    for (; i < size; ++i) sums[0] += term(i);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  template <Index n>
  static void copy(const void* from, void* to) {
    std::memcpy(to, from, n * sizeof(float));
  }

  // A step on as many weights as a vector has lanes, each followed by its slots, n numbers in all.
  template <Index n, class Optimizer>
  static void step_all(const Optimizer& optimizer, const float* from, Vec g, float* to) {
    constexpr int slots = Optimizer::info.slots;
    alignas(64) float column[1 + slots][Vec::lanes];
    for (int i = 0; i < Vec::lanes; ++i)
      for (int j = 0; j <= slots; ++j) column[j][i] = from[i * n + j];
    Vec weight = Vec::load(column[0]), state[slots + 1];
    for (int j = 0; j < slots; ++j) state[j] = Vec::load(column[j + 1]);
    optimizer.step(weight, state, g);
    weight.store(column[0]);
    for (int j = 0; j < slots; ++j) state[j].store(column[j + 1]);
    for (int i = 0; i < Vec::lanes; ++i)
      for (int j = 0; j < n; ++j) to[i * n + j] = j <= slots ? column[j][i] : 0.0f;
  }

  template <class Optimizer>
  static void step_one(const Optimizer& optimizer, float* w, float g) {
    constexpr int n = Optimizer::info.slots;
    Scalar weight(w[0]), slots[n + 1];
    for (int j = 0; j < n; ++j) slots[j] = Scalar(w[j + 1]);
    optimizer.step(weight, slots, Scalar(g));
    w[0] = weight.v;
    for (int j = 0; j < n; ++j) w[j + 1] = slots[j].v;
  }

  template <class Optimizer>
  static void init_one(const Optimizer& optimizer, float* w) {
    Scalar slots[Optimizer::info.slots + 1];
    optimizer.init(Scalar(w[0]), slots);
    for (int j = 0; j < Optimizer::info.slots; ++j) w[j + 1] = slots[j].v;
  }

  template <class Optimizer>
  static void merge_one(const Optimizer& optimizer, float* shared, float* mine, float* base) {
    constexpr int n = Optimizer::info.slots;
    Scalar merged[n + 1], own[n + 1], old[n + 1];
    for (int p = 0; p <= n; ++p)
      merged[p] = Scalar(shared[p]), own[p] = Scalar(mine[p]), old[p] = Scalar(base[p]);
    optimizer.merge(merged, own, old);
    for (int p = 0; p <= n; ++p) shared[p] = mine[p] = base[p] = merged[p].v;
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
