// Layers: gradients by differences, threads, gaps between rows, and what is refused.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "batches.h"
#include "levels.h"
#include "nn/activation.h"
#include "nn/batch_norm.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/layer_norm.h"
#include "nn/prelu.h"
#include "nn/residual.h"
#include "nn/sequential.h"
#include "nn/tower.h"

namespace pyfm {
namespace {

using Make = std::unique_ptr<Layer> (*)(Index);

Activation activation(ActivationKind kind) {
  return find_activation(name(kind));
}

std::unique_ptr<Layer> dense(Index n, ActivationKind f) {
  return std::make_unique<Dense>(n, 5, DenseOptions{.activation = activation(f)});
}
template <ActivationKind kind>
std::unique_ptr<Layer> activation_layer(Index n) {
  return std::make_unique<ActivationLayer>(n, activation(kind));
}
std::unique_ptr<Layer> tower(Index n, const char* f, bool norm, int residual) {
  return make_tower({.n_in = n,
                     .hidden = {9, 9, 4},
                     .activation = f,
                     .batch_norm = norm,
                     .batch_norm_options = {},
                     .dropout = 0.25,
                     .residual = residual});
}

const Make kLayers[] = {
    [](Index n) { return dense(n, ActivationKind::identity); },
    [](Index n) { return dense(n, ActivationKind::tanh); },
    [](Index n) -> std::unique_ptr<Layer> {
      return std::make_unique<Dense>(
          n, 1, DenseOptions{.activation = activation(ActivationKind::sigmoid)});
    },
    [](Index n) -> std::unique_ptr<Layer> { return std::make_unique<BatchNorm>(n); },
    [](Index n) -> std::unique_ptr<Layer> {
      return std::make_unique<BatchNorm>(n, BatchNormOptions{.relu = true});
    },
    [](Index n) -> std::unique_ptr<Layer> { return std::make_unique<LayerNorm>(n); },
    [](Index n) -> std::unique_ptr<Layer> { return std::make_unique<Dropout>(n, 0.25); },
    [](Index n) -> std::unique_ptr<Layer> { return std::make_unique<PRelu>(n); },
    activation_layer<ActivationKind::relu>,
    activation_layer<ActivationKind::leaky_relu>,
    activation_layer<ActivationKind::elu>,
    activation_layer<ActivationKind::sigmoid>,
    activation_layer<ActivationKind::tanh>,
    activation_layer<ActivationKind::gelu>,
    [](Index n) -> std::unique_ptr<Layer> {
      return std::make_unique<Residual>(dense(n, ActivationKind::sigmoid));
    },
    [](Index n) { return tower(n, "relu", true, 0); },
    [](Index n) { return tower(n, "elu", false, 1); },
    [](Index n) { return tower(n, "gelu", true, 2); },
    [](Index n) { return tower(n, "prelu", false, 0); },
};

template <class F>
bool throws(const std::string& part, F&& f) {
  try {
    f();
  } catch (const std::invalid_argument& error) {
    return std::string(error.what()).find(part) != std::string::npos;
  }
  return false;
}

BOOST_AUTO_TEST_SUITE(nn)

// A step of 1e-2 over a loss of about 10: rounding 10 · 6e-8 / 1e-2 = 6e-5 and some more, and a
// second-order error of 1e-4 times the third derivative.
BOOST_AUTO_TEST_CASE(gradients_are_those_of_differences) {
  for (const Make& make : kLayers) {
    Run run(make(5), 6);
    run.forward_and_backward();
    const auto compare = [&](const Owned& of, const std::vector<float>& gradient) {
      double worst = 0;
      for (Index i = 0, at = 0; i < of.view.rows; ++i)
        for (Index j = 0; j < of.view.columns; ++j, ++at) {
          const auto [slope, kink] = run.difference(of.view.row(i)[j], 1e-2f);
          const double off = std::abs(slope - gradient[static_cast<std::size_t>(at)]) - kink;
          worst = off <= worst ? worst : off;  // NaN, too
        }
      BOOST_TEST(worst < 3e-3, "layer " << &make - kLayers << " is off by " << worst);
    };
    compare(run.x, run.dx.numbers());
    for (std::size_t p = 0; p < run.values.size(); ++p)
      compare(run.values[p], run.gradients[p].numbers());
  }
}

BOOST_AUTO_TEST_CASE(threads_make_no_difference_and_gaps_are_left_alone) {
  for_levels([] {
    for (const Make& make : kLayers) {
      std::vector<float> expected;
      for (const int n_threads : {1, 2, 3, 8}) {
        Run run(make(19), 150);
        run.n_threads = n_threads;
        run.forward_and_backward();
        BOOST_TEST((run.out.gaps_untouched() && run.dx.gaps_untouched()));
        for (const Owned& g : run.gradients) BOOST_TEST(g.gaps_untouched());
        if (n_threads == 1) expected = run.results();
        BOOST_TEST((run.results() == expected));  // no NaN among them
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(prediction) {
  for (const Make& make : kLayers) {
    Run run(make(19), 70);
    for (int i = 0; i < 3; ++i) run.loss();
    Owned found(70, run.layer->n_out()), again(70, run.layer->n_out());
    Workspace other;
    Team::run(2,
              [&](Team& team) { run.layer->predict(run.x.view, found.view, run.workspace, team); });
    run.layer->predict(run.x.view, again.view, other, Team::alone());
    BOOST_TEST((found.numbers() == again.numbers()));
    BOOST_TEST(found.gaps_untouched());
    if (run.layer->in_place()) {
      Owned x(70, 19);
      x.fill(1, 2);
      run.layer->predict(x.view, x.view, other, Team::alone());
      BOOST_TEST((x.numbers() == found.numbers()));
    }
  }
}

BOOST_AUTO_TEST_CASE(statistics_of_an_epoch_and_moving_ones) {
  Run run(std::make_unique<BatchNorm>(2), 2);
  const auto batch = [&](float a, float b) {
    run.x.view.row(0)[0] = a, run.x.view.row(1)[0] = b;
    run.loss();
  };
  const std::vector<Buffer> b = run.layer->buffers();
  BOOST_TEST(b[1].values[0] == 1);
  batch(0, 2);  // mean 1, unbiased variance 2
  batch(2, 6);  // mean 4, unbiased variance 8
  BOOST_TEST((b[0].values[0] == 2.5 && b[1].values[0] == 5));
  BOOST_TEST(std::abs(b[2].values[0] - (0.1 * 0.9 + 0.4)) < 1e-12);
  BOOST_TEST(std::abs(b[3].values[0] - ((0.9 + 0.2) * 0.9 + 0.8)) < 1e-12);
  run.layer->start_epoch();
  BOOST_TEST(b[0].values[0] == 2.5);  // until the new epoch has a batch
  batch(1, 3);
  BOOST_TEST((b[0].values[0] == 2 && b[1].values[0] == 2 && b[4].values[0] == 1));
}

BOOST_AUTO_TEST_CASE(columns_that_are_all_alike) {
  Run run(std::make_unique<BatchNorm>(3), 200);
  for (Index i = 0; i < 200; ++i)
    for (Index j = 0; j < 3; ++j) run.x.view.row(i)[j] = 1e4f / static_cast<float>(j + 3);
  run.forward_and_backward();
  const std::vector<Buffer> b = run.layer->buffers();
  for (std::size_t j = 0; j < 3; ++j) {
    BOOST_TEST(b[1].values[j] == 0);
    BOOST_TEST(run.out.view.row(77)[j] == run.values[1].view.data[j]);
  }
  for (const float r : run.results()) BOOST_TEST(std::isfinite(r));
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  BOOST_TEST(throws("batch of at least 2", [] { Run(std::make_unique<BatchNorm>(3), 1).loss(); }));
  BOOST_TEST(throws("below 1, found 1", [] { Dropout(3, 1); }));
  BOOST_TEST(throws("found nan", [] { Dropout(3, std::nan("")); }));
  BOOST_TEST(throws("eps", [] { BatchNorm(3, {.epsilon = 0}); }));
  BOOST_TEST(throws("momentum", [] { BatchNorm(3, {.momentum = 0}); }));
  BOOST_TEST(throws("eps", [] { LayerNorm(3, -1); }));
  BOOST_TEST(throws("'gelu'", [] { find_activation("swish"); }));
  BOOST_TEST(throws("alpha", [] { ActivationLayer(3, {ActivationKind::elu, -1}); }));
  BOOST_TEST(throws("found 0", [] { Dense(0, 3); }));
  BOOST_TEST(throws("at least one", [] { Sequential{Layers{}}; }));
  BOOST_TEST(throws("'he_normal'", [] { find_scheme("orthogonal"); }));
  BOOST_TEST(throws("layer 1 that takes 4 columns behind one that gives 5", [] {
    Layers layers;
    layers.push_back(dense(3, ActivationKind::relu));
    layers.push_back(dense(4, ActivationKind::relu));
    Sequential(std::move(layers));
  }));
  BOOST_TEST(throws("residual", [] { make_tower({.n_in = 3, .residual = -1}); }));
}

BOOST_AUTO_TEST_CASE(names_follow_the_layers) {
  std::string names;
  for (const Parameter& p : tower(6, "relu", true, 2)->parameters()) names += p.name + " ";
  BOOST_TEST(names ==
             "0.inner.0.weight 0.inner.1.gamma 0.inner.1.beta 0.inner.3.weight 0.inner.4.gamma "
             "0.inner.4.beta 0.projection.weight 1.inner.0.weight 1.inner.1.gamma 1.inner.1.beta "
             "1.projection.weight 2.weight 2.bias ");
}

BOOST_AUTO_TEST_CASE(initial_weights_have_their_variance) {
  Owned w(300, 200);
  for (const Scheme scheme :
       {Scheme::he_uniform, Scheme::he_normal, Scheme::xavier_uniform, Scheme::xavier_normal}) {
    initialize(w.view, {scheme}, 3);
    double sum = 0, squares = 0;
    for (const float v : w.numbers()) sum += v, squares += static_cast<double>(v) * v;
    const double n = 300 * 200, he = 2.0 / 300, xavier = 2.0 / 500;
    const bool is_he = scheme == Scheme::he_uniform || scheme == Scheme::he_normal;
    const double expected = is_he ? he : xavier;
    // 5 standard errors; those of a normal's variance are √(2 / n) of it.
    BOOST_TEST(std::abs(sum / n) < 5 * std::sqrt(expected / n));
    BOOST_TEST(std::abs(squares / n / expected - 1) < 5 * std::sqrt(2 / n));
    BOOST_TEST(w.gaps_untouched());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
