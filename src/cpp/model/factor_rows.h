// Rows of factors, in whichever storage: their initial state, and the merging of copies.
#pragma once
#include <algorithm>

#include "base/fetch.h"
#include "base/random.h"
#include "model/batch.h"
#include "model/lanes.h"
#include "model/scratch.h"
#include "model/view.h"

namespace pyfm::PYFM_ISA {
namespace {

template <class S>
struct FactorRows {
  // Weights are a pure function of (seed, feature, position in the row); padding is 0.
  static void init_weights(const PartView& view, RowId r, FeatureId j) {
    const PartShape& shape = view.shape;
    S* w = view.row<S>(r);
    const std::uint64_t key = random_key(shape.seed, j);
    const float low = shape.init_low, range = shape.init_high - shape.init_low;
    for (Index i = 0; i < shape.width; ++i)
      round_to(w[i], low + range * random_uniform(key, static_cast<std::uint32_t>(i)), kHalfUlp);
    if (shape.block > shape.n_factors)
      for (Index f = 0; f < shape.n_fields; ++f)
        for (int d = shape.n_factors; d < shape.block; ++d) w[f * shape.block + d] = S{};
    for (Index i = static_cast<Index>(shape.n_fields) * shape.block; i < shape.width; ++i)
      w[i] = S{};
  }

  // The optimizer's state that belongs to the weights of a row.
  template <class Optimizer>
  static void init_slots(const PartView& view, S* w) {
    constexpr int n = Optimizer::info.slots;
    const Optimizer optimizer(view.params);
    const Index width = view.shape.width;
    for_lanes(width, [&](Index at, Lanes lanes) {
      Vec slots[n + 1];
      optimizer.init(lanes.load(w + at), slots);
      for (int s = 0; s < n; ++s) lanes.store(slots[s], w + at + (s + 1) * width, nearest<S>());
    });
  }
  template <class Optimizer>
  static void init_slots(const PartView& view, RowId r) {
    init_slots<Optimizer>(view, view.row<S>(r));
  }

  // Gradients of rows, up to a slab: (kSlab, width), and Centered (kSlab,) more, c of g - c w.
  template <bool Centered>
  static void squared_norms(const PartView& part, const RowId* rows, Index n,
                            const float* gradients, double* sums) noexcept {
    const PartView view = part;
    const Index width = view.shape.width;
    const float* const centers = gradients + kSlab * width;
    for (Index i = 0; i < n; ++i) {
      [[maybe_unused]] const S* const w = view.row<S>(rows[i]);
      [[maybe_unused]] const Vec c(Centered ? centers[i] : 0.0f);
      Vec squares(0.0f);
      for_lanes(width, [&](Index at, Lanes lanes) {
        Vec g = lanes.load(gradients + at);
        if constexpr (Centered) g = g - c * lanes.load(w + at);
        squares = fma(g, g, squares);
      });
      sums[i] = static_cast<double>(sum(squares));
      gradients += width;
    }
  }

  // One step on each row.
  // Where 16 bits are rounded, the noise depends on what the caller put into s.noise and on the
  // row, on nothing else.
  template <class Optimizer, bool Centered>
  static void step_all(const PartView& part, const RowId* rows, Index n, Index n_listed,
                       const float* gradients, const Scratch& s) noexcept {
    const PartView view = part;
    const Optimizer optimizer(view.params);
    const Index width = view.shape.width;
    // So far ahead that enough lines are on their way, whatever a row has of them.
    constexpr Index lines = 32, line = 64 / sizeof(S);
    const Index ahead = std::clamp<Index>(lines * line / view.shape.stride, 4, 16);
    const float* const centers = gradients + kSlab * width;
    for (Index i = 0; i < n; ++i) {
      S* const w = view.row<S>(rows[i]);
      const S* const next = view.row<S>(rows[i + ahead < n_listed ? i + ahead : i]);
      Rounding<S> rounding = rounding_of_row<S>(s.noise, rows[i]);
      const Vec c(Centered ? centers[i] : 0.0f);
      for_lanes(width, [&](Index at, Lanes lanes) __attribute__((always_inline)) {
        if (at * sizeof(S) % 64 == 0)
          for (int slot = 0; slot <= Optimizer::info.slots; ++slot)
            fetch_to_write(next + at + slot * width);
        const Vec old = lanes.load(w + at);
        Vec g = lanes.load(gradients + at);
        if constexpr (Centered) g = g - c * old;
        step(optimizer, w + at, width, lanes, old, g, rounding);
      });
      gradients += width;
    }
  }

  // What this thread's copies of rows have gained goes to the rows that all threads share; the
  // copies go on from there.
  template <class Optimizer>
  static void merge_rows(PartView view, RowId begin, RowId end, Scratch s) {
    const Optimizer optimizer(view.params);
    for (Index r = begin; r < end; ++r) merge_row(optimizer, view, r * view.shape.stride, s);
  }

 private:
  template <class Optimizer>
  static void merge_row(const Optimizer& optimizer, const PartView& view, Index begin,
                        const Scratch& s) {
    constexpr int n = Optimizer::info.slots;
    const Index width = view.shape.width;
    S* const shared = static_cast<S*>(view.rows) + begin;
    S* const mine = static_cast<S*>(view.hot) + begin;
    S* const base = static_cast<S*>(view.base) + begin;
    Rounding<S> rounding(s.noise);
    for_lanes(width, [&](Index at, Lanes lanes) {
      Vec merged[n + 1], own[n + 1], old[n + 1];
      for (int p = 0; p <= n; ++p) {
        merged[p] = lanes.load(shared + at + p * width);
        own[p] = lanes.load(mine + at + p * width);
        old[p] = lanes.load(base + at + p * width);
      }
      optimizer.merge(merged, own, old);
      for (int p = 0; p <= n; ++p) {
        const auto bits = rounding.next();
        for (S* to : {shared, mine, base}) lanes.store(merged[p], to + at + p * width, bits);
      }
    });
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
