// Linear terms: b + Σ_j x_j w_j. The bias is a weight without regularization.
//
// The weights lie scattered: they are collected into vectors and put back one by one.
#pragma once
#include "model/lanes.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Linear {
  static float score(PartView view, Entries row, Scratch& s) {
    s.row = row;
    if (s.next)
      for (int i = 0; i < s.next->size; ++i)
        __builtin_prefetch(view.row<float>(s.next->row[i]), 1, 3);
    for (int i = 0; i < row.size; ++i) s.w[i] = *view.row<float>(row.row[i]);
    float total = view.bias[0];
    Vec sums(0.0f);
    for_lanes(row.size, [&](Index at, Lanes lanes) {
      if (lanes.n == Vec::lanes)
        sums = fma(Vec::load(row.x + at), Vec::load(s.w + at), sums);
      else
        for (int i = 0; i < lanes.n; ++i) total += row.x[at + i] * s.w[at + i];
    });
    return total + sum(sums);
  }

  template <class Optimizer>
  static void update(PartView view, float dscore, Scratch s) {
    const Optimizer optimizer(view.params);
    constexpr int n = Optimizer::info.slots;
    for (int i = 0; i < s.row.size; ++i) {
      const float* w = view.row<float>(s.row.row[i]);
      for (int j = 0; j < n; ++j) s.slots[j * s.capacity + i] = w[j + 1];
    }
    // Lanes past the end hold leftovers of earlier rows; nothing of them is put back.
    for (int at = 0; at < s.row.size; at += Vec::lanes) {
      alignas(64) float w[Vec::lanes], slots[n + 1][Vec::lanes];
      Vec weight = Vec::load(s.w + at), state[n + 1];
      for (int j = 0; j < n; ++j) state[j] = Vec::load(s.slots + j * s.capacity + at);
      optimizer.step(weight, state, Vec(dscore) * Vec::load(s.row.x + at));
      weight.store(w);
      for (int j = 0; j < n; ++j) state[j].store(slots[j]);
      for (int i = 0; i < Vec::lanes && at + i < s.row.size; ++i) {
        float* row = view.row<float>(s.row.row[at + i]);
        if (unchanged<n>(row, s, at + i)) {
          row[0] = w[i];
          for (int j = 0; j < n; ++j) row[j + 1] = slots[j][i];
        } else {
          step_one(optimizer, row, dscore * s.row.x[at + i]);
        }
      }
    }
    step_one(without_penalty<Optimizer>(view), view.bias, dscore);
  }

  static void init_weights(const PartView& view, RowId r, FeatureId) { *view.row<float>(r) = 0; }

  template <class Optimizer>
  static void init_slots(const PartView& view, RowId r) {
    init_one(Optimizer(view.params), view.row<float>(r));
  }

  template <class Optimizer>
  static void init_bias(const PartView& view) {
    init_one(Optimizer(view.params), view.bias);
  }

  // As for rows of factors (model/factor_rows.h). Row 0 belongs to no feature: here it is the bias.
  template <class Optimizer>
  static void merge_row(PartView view, RowId r, Scratch) {
    const Index at = static_cast<Index>(r) * view.shape.stride;
    if (r == 0)
      merge_one(without_penalty<Optimizer>(view), view.shared_bias, view.bias, view.base_bias);
    else
      merge_one(Optimizer(view.params), static_cast<float*>(view.rows) + at,
                static_cast<float*>(view.hot) + at, static_cast<float*>(view.base) + at);
  }

 private:
  template <class Optimizer>
  static Optimizer without_penalty(const PartView& view) {
    OptimizerParams params = view.params;
    params.l1 = params.l2 = 0;
    return Optimizer(params);
  }

  // False when the weight was stepped since it was collected: the feature occurs twice in the row
  // (or another thread was here), and its next step starts from where it is now.
  template <int n>
  static bool unchanged(const float* row, const Scratch& s, int i) {
    bool same = row[0] == s.w[i];
    for (int j = 0; j < n; ++j) same &= row[j + 1] == s.slots[j * s.capacity + i];
    return same;
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
    Scalar merged[n + 1];
    for (int p = 0; p <= n; ++p) merged[p] = Scalar(shared[p] + (mine[p] - base[p]));
    optimizer.merge(merged[0], merged + 1);
    for (int p = 0; p <= n; ++p) shared[p] = mine[p] = base[p] = merged[p].v;
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
