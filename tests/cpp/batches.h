// Layers, their memory and a batch, for the tests of layers.
#pragma once
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "naive_sgemm.h"
#include "nn/gemm.h"
#include "nn/layer.h"

namespace pyfm {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr Index kGap = 3;

// A matrix whose rows have gaps full of NaN.
struct Owned {
  std::vector<float> memory;
  Matrix view;

  Owned(Index rows, Index columns)
      : memory(static_cast<std::size_t>(rows * (columns + kGap)), kNan),
        view{memory.data(), rows, columns, columns + kGap} {}
  Owned(Owned&&) = default;
  void fill(std::uint64_t key, float scale = 1) {
    for (Index i = 0; i < view.rows; ++i)
      for (Index j = 0; j < view.columns; ++j)
        view.row(i)[j] = scale * (2 * random_uniform(random_key(key, static_cast<std::uint64_t>(i)),
                                                     static_cast<std::uint32_t>(j)) -
                                  1);
  }
  bool gaps_untouched() const {
    for (Index i = 0; i < view.rows; ++i)
      for (Index j = 0; j < kGap; ++j)
        if (!std::isnan(view.row(i)[view.columns + j])) return false;
    return true;
  }
  std::vector<float> numbers() const {
    std::vector<float> all;
    for (Index i = 0; i < view.rows; ++i)
      all.insert(all.end(), view.row(i), view.row(i) + view.columns);
    return all;
  }
};

inline constexpr std::uint64_t kKey = 7;  // of random numbers

// A layer, its parameters and a batch.
struct Run {
  std::unique_ptr<Layer> layer;
  std::vector<Owned> values, gradients;
  Owned x, out, dout, dx;
  Workspace workspace;
  int n_threads = 1;

  Run(std::unique_ptr<Layer> l, Index rows)
      : layer(std::move(l)),
        x(rows, layer->n_in()),
        out(rows, layer->n_out()),
        dout(rows, layer->n_out()),
        dx(rows, layer->n_in()) {
    set_sgemm(naive_sgemm);
    x.fill(1, 2);
    dout.fill(2);
    std::vector<ParameterMemory> memory;
    for (const Parameter& p : layer->parameters()) {
      values.emplace_back(p.rows, p.columns);
      gradients.emplace_back(p.rows, p.columns);
      initialize(values.back().view, p.start, 5);
      if (p.start.scheme == Scheme::constant) values.back().fill(values.size() + 10);
      memory.push_back({values.back().view, gradients.back().view});
    }
    layer->bind(memory);
  }
  // Σ dout out: the derivative of it by anything is what `backward` computes.
  double loss() {
    Team::run(n_threads,
              [&](Team& team) { layer->forward(x.view, out.view, workspace, {team, kKey}); });
    double sum = 0;
    for (Index i = 0; i < out.view.rows; ++i)
      for (Index j = 0; j < out.view.columns; ++j)
        sum += static_cast<double>(dout.view.row(i)[j]) * out.view.row(i)[j];
    return sum;
  }
  void forward_and_backward() {
    loss();
    Team::run(n_threads, [&](Team& team) {
      layer->backward(x.view, out.view, dout.view, dx.view, workspace, {team, kKey});
    });
  }
  // Everything that was computed.
  std::vector<float> results() const {
    std::vector<float> all = out.numbers();
    const auto append = [&](const Owned& m) {
      const std::vector<float> numbers = m.numbers();
      all.insert(all.end(), numbers.begin(), numbers.end());
    };
    append(dx);
    for (const Owned& g : gradients) append(g);
    return all;
  }
  // The derivative by a number, and how far a kink within the step may put it off.
  struct Difference {
    double slope, kink;
  };
  Difference difference(float& number, float step) {
    const float before = number;
    const double middle = loss();
    number = before + step;
    const double up = loss(), high = number;
    number = before - step;
    const double down = loss(), low = number;
    number = before;
    return {(up - down) / (high - low), std::abs(up - 2 * middle + down) / (high - low)};
  }
};

}  // namespace pyfm
