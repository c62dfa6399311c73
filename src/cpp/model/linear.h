// Linear terms: b + Σ_j x_j w_j. The bias is a weight without regularization.
#pragma once
#include "model/gather.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Linear {
  static float score(const PartView& view, const Row& row, float scale, Scratch& s) {
    gather(view, row, scale, false, s);
    float sum = 0;
    for (int i = 0; i < s.n_entries; ++i) sum += s.x[i] * *s.entry[i];
    return view.bias[0] + sum;
  }

  template <class Optimizer>
  static void update(const PartView& view, float dscore, Scratch& s) {
    const Optimizer optimizer{view.params};
    for (int i = 0; i < s.n_entries; ++i) step(optimizer, s.entry[i], dscore * s.x[i]);
    Optimizer for_bias{view.params};
    for_bias.p.l1 = for_bias.p.l2 = 0;
    step(for_bias, view.bias, dscore);
  }

  template <class Optimizer>
  static void init_row(const PartView& view, FeatureId j) {
    init<Optimizer>(view, view.row(j));
  }

  template <class Optimizer>
  static void init_bias(const PartView& view) {
    init<Optimizer>(view, view.bias);
  }

  static void prefetch(const PartView& view, const Row& row) {
    for (Index i = 0; i < row.size; ++i) __builtin_prefetch(view.row(row.features[i]), 1);
  }

 private:
  template <class Optimizer>
  static void init(const PartView& view, float* w) {
    Scalar slots[Optimizer::info.slots + 1];
    Optimizer{view.params}.init(Scalar(0.0f), slots);
    w[0] = 0;
    for (int i = 0; i < Optimizer::info.slots; ++i) w[i + 1] = slots[i].v;
  }

  template <class Optimizer>
  static void step(const Optimizer& optimizer, float* w, float g) {
    constexpr int n = Optimizer::info.slots;
    Scalar weight(w[0]), slots[n + 1];
    for (int i = 0; i < n; ++i) slots[i] = Scalar(w[i + 1]);
    optimizer.step(weight, slots, Scalar(g));
    w[0] = weight.v;
    for (int i = 0; i < n; ++i) w[i + 1] = slots[i].v;
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
