// Optimizers on one weight, against values worked out by hand.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <tuple>

#define PYFM_ISA test_optim
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/ftrl.h"
#include "optim/momentum.h"
#include "optim/proximal.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "simd/scalar.h"

namespace pyfm {
namespace {

using test_optim::AdaGrad;
using test_optim::Adam;
using test_optim::Ftrl;
using test_optim::FtrlL1;
using test_optim::Momentum;
using test_optim::Nesterov;
using test_optim::one_minus_exp;
using test_optim::Proximal;
using test_optim::RmsProp;
using test_optim::Scalar;
using test_optim::Sgd;

using FtrlKinds = std::tuple<Ftrl, Proximal<Ftrl>, Proximal<FtrlL1>>;

OptimizerParams params(float learning_rate) {
  OptimizerParams p;
  p.learning_rate = learning_rate;
  p.momentum = 0.5f;
  p.rho = 0.75f;
  p.beta = 1;
  p.beta1 = 0.5f;
  p.beta2 = 0.75f;
  p.epsilon = 0.5f;
  p.initial_accumulator = 1;
  return p;
}

bool near(float found, double expected) {
  return std::abs(found - expected) < 1e-6;
}

BOOST_AUTO_TEST_SUITE(optim)

BOOST_AUTO_TEST_CASE(sgd_moves_against_the_gradient_and_decays) {
  OptimizerParams p = params(0.1f);
  Scalar w(2.0f);
  Sgd(p).step(w, static_cast<Scalar*>(nullptr), Scalar(3.0f));
  BOOST_TEST(near(w.v, 2 - 0.1 * 3));
  p.l2 = 0.5f;
  w = Scalar(2.0f);
  Sgd(p).step(w, static_cast<Scalar*>(nullptr), Scalar(3.0f));
  BOOST_TEST(near(w.v, 2 - 0.1 * (3 + 0.5 * 2)));
}

BOOST_AUTO_TEST_CASE(momentum_steps_along_a_sum_that_forgets) {
  OptimizerParams p = params(0.1f);
  Scalar w(2.0f), v[1];
  Momentum(p).init(w, v);
  Momentum(p).step(w, v, Scalar(3.0f));  // v = 3
  BOOST_TEST(near(w.v, 2 - 0.1 * 3));
  p.l2 = 0.1f;
  Momentum(p).step(w, v, Scalar(-1.0f));  // v = 1.5 - 1 + 0.17
  BOOST_TEST(near(v[0].v, 0.67));
  BOOST_TEST(near(w.v, 1.7 - 0.067));
}

BOOST_AUTO_TEST_CASE(nesterov_looks_one_step_ahead) {
  const Nesterov nesterov{params(0.1f)};
  Scalar w(2.0f), v[1];
  nesterov.init(w, v);
  nesterov.step(w, v, Scalar(3.0f));  // v = 3
  BOOST_TEST(near(w.v, 2 - 0.1 * (3 + 0.5 * 3)));
  nesterov.step(w, v, Scalar(-1.0f));  // v = 0.5
  BOOST_TEST(near(w.v, 1.55 - 0.1 * (-1 + 0.5 * 0.5)));
}

BOOST_AUTO_TEST_CASE(rmsprop_divides_by_the_root_of_the_mean_square) {
  const RmsProp rmsprop{params(0.1f)};
  Scalar w(2.0f), root[1];
  rmsprop.init(w, root);
  rmsprop.step(w, root, Scalar(4.0f));  // v = 16 / 4
  BOOST_TEST(near(root[0].v, 2));
  BOOST_TEST(near(w.v, 2 - 0.1 * 4 / 2.5));
  rmsprop.step(w, root, Scalar(-2.0f));  // v = 3 + 1
  BOOST_TEST(near(root[0].v, 2));
  BOOST_TEST(near(w.v, 1.84 + 0.1 * 2 / 2.5));
}

BOOST_AUTO_TEST_CASE(adam_takes_the_bias_out_of_its_averages) {
  OptimizerParams p = params(0.1f);
  p.weight_decay = 0.5f;
  const Adam adam{p};
  Scalar w(2.0f), s[3];
  adam.init(w, s);
  adam.step(w, s, Scalar(4.0f));  // m̂ = 4, v̂ = 16
  BOOST_TEST(near(s[0].v, 4));
  BOOST_TEST(near(s[1].v, 4));
  BOOST_TEST(s[2].v == 1);
  BOOST_TEST(near(w.v, 2 * (1 - 0.1 * 0.5) - 0.1 * 4 / 4.5));
  const double before = w.v;
  adam.step(w, s, Scalar(-2.0f));  // m = 1 - 1, v = 3 + 1, v̂ = 4 / (1 - 0.75²)
  BOOST_TEST(near(s[0].v, 0));
  BOOST_TEST(near(s[1].v, 2 / std::sqrt(0.4375)));
  BOOST_TEST(near(w.v, before * 0.95));
}

BOOST_AUTO_TEST_CASE(one_minus_exp_is_good_to_the_last_bits) {
  for (double x = 1e-6; x < 100; x *= 1.01) {
    const double found = one_minus_exp(Scalar(static_cast<float>(x))).v;
    BOOST_TEST(std::abs(found / -std::expm1(-static_cast<double>(static_cast<float>(x))) - 1) <
               5e-7);
  }
  BOOST_TEST(one_minus_exp(Scalar(kNoLimit)).v == 1);
}

BOOST_AUTO_TEST_CASE(l1_moves_a_weight_to_zero_and_no_further) {
  OptimizerParams p = params(0.1f);
  p.l1 = 2;
  const Proximal<Sgd> sgd{p};
  Scalar w(1.0f), none[1];
  sgd.step(w, none, Scalar(3.0f));
  BOOST_TEST(near(w.v, 1 - 0.1 * 3 - 0.1 * 2));
  w = Scalar(-1.0f);
  sgd.step(w, none, Scalar(3.0f));
  BOOST_TEST(near(w.v, -1 - 0.1 * 3 + 0.1 * 2));
  w = Scalar(0.0f);
  sgd.step(w, none, Scalar(1.9f));
  BOOST_TEST(w.v == 0);
  const Proximal<Momentum> momentum{p};  // a gradient moves w by 0.1 / (1 - 0.5) in all
  Scalar v[1];
  w = Scalar(1.0f);
  momentum.init(w, v);
  momentum.step(w, v, Scalar(0.0f));
  BOOST_TEST(near(w.v, 1 - 0.1 / 0.5 * 2));
  const Proximal<AdaGrad> adagrad{p};
  Scalar g2[1];
  w = Scalar(1.0f);
  adagrad.init(w, g2);
  adagrad.step(w, g2, Scalar(std::sqrt(3.0f)));  // G = 4
  BOOST_TEST(near(w.v, 1 - 0.1 * std::sqrt(3) / 2 - 0.1 / 2 * 2));
}

BOOST_AUTO_TEST_CASE(gradients_are_clipped_by_value) {
  OptimizerParams p = params(0.1f);
  p.clip_value = 2;
  const Proximal<Sgd> sgd{p};
  Scalar w(1.0f), none[1];
  sgd.step(w, none, Scalar(-30.0f));
  BOOST_TEST(near(w.v, 1 + 0.1 * 2));
  sgd.step(w, none, Scalar(1.0f));
  BOOST_TEST(near(w.v, 1.2 - 0.1));
  sgd.step(w, none, Scalar(NAN));
  BOOST_TEST(std::isnan(w.v));
}

// Two threads, each with a copy of w and state; what they share is what both have learned.
BOOST_AUTO_TEST_CASE(copies_meet) {
  OptimizerParams p = params(0.1f);
  const Scalar base[4] = {Scalar(1.0f), Scalar(2.0f), Scalar(4.0f), Scalar(8.0f)};
  const Scalar own[4] = {Scalar(0.5f), Scalar(4.0f), Scalar(2.0f), Scalar(12.0f)};
  const auto merged = [&](const auto& optimizer, Scalar w) {
    struct {
      Scalar of[4];
    } shared = {{w, Scalar(6.0f), Scalar(8.0f), Scalar(20.0f)}};
    optimizer.merge(shared.of, own, base);
    return shared;
  };
  BOOST_TEST(near(merged(Sgd(p), Scalar(2.0f)).of[0].v, 1.5));
  BOOST_TEST(near(merged(AdaGrad(p), Scalar(2.0f)).of[1].v, 8));
  BOOST_TEST(near(merged(Momentum(p), Scalar(2.0f)).of[1].v, 5));
  BOOST_TEST(near(merged(RmsProp(p), Scalar(2.0f)).of[1].v, std::sqrt(26)));
  const auto adam = merged(Adam(p), Scalar(2.0f));
  BOOST_TEST(near(adam.of[0].v, 1.5));
  BOOST_TEST(near(adam.of[1].v, (20 * 6 + 12 * 4) / 32.0));
  BOOST_TEST(near(adam.of[2].v, std::sqrt((20 * 64 + 12 * 4) / 32.0)));
  BOOST_TEST(near(adam.of[3].v, 24));
  // FTRL: z = -w c adds up, and the squares; here c = (1 + s[1]) / 0.1.
  const auto ftrl = merged(Ftrl(p), Scalar(2.0f));
  const double n = std::sqrt(36 + 16 - 4);
  BOOST_TEST(near(ftrl.of[1].v, n));
  BOOST_TEST(near(ftrl.of[0].v, (2 * 7 + 0.5 * 5 - 1 * 3) / (1 + n)));
  const double root = std::sqrt(64 + 4 - 16);
  const auto with_l1 = merged(Proximal<FtrlL1>(p), Scalar(2.0f));
  BOOST_TEST(near(with_l1.of[1].v, 6 + 4 - 2));
  BOOST_TEST(near(with_l1.of[2].v, root));
  BOOST_TEST(near(with_l1.of[0].v, -8 / ((1 + root) / 0.1)));
  p.l1 = 1;
  BOOST_TEST(
      near(merged(Proximal<FtrlL1>(p), Scalar(2.0f)).of[0].v, -(8 - 1) / ((1 + root) / 0.1)));
  p.l1 = 8;
  BOOST_TEST(merged(Proximal<FtrlL1>(p), Scalar(2.0f)).of[0].v == 0);
  p.l1 = 1;
  BOOST_TEST(near(merged(Proximal<Sgd>(p), Scalar(2.0f)).of[0].v, 1.5));
  BOOST_TEST(merged(Proximal<Sgd>(p), Scalar(0.25f)).of[0].v == 0);
  BOOST_TEST(near(merged(Proximal<Sgd>(p), Scalar(-0.25f)).of[0].v, -0.75));
}

BOOST_AUTO_TEST_CASE(adagrad_divides_by_the_root_of_all_squares) {
  const AdaGrad adagrad{params(0.1f)};
  Scalar w(2.0f), g2[1];
  adagrad.init(w, g2);
  BOOST_TEST(g2[0].v == 1);
  adagrad.step(w, g2, Scalar(3.0f));
  BOOST_TEST(near(g2[0].v, 10));
  BOOST_TEST(near(w.v, 2 - 0.3 / std::sqrt(10)));
  adagrad.step(w, g2, Scalar(-1.0f));
  BOOST_TEST(near(w.v, 2 - 0.3 / std::sqrt(10) + 0.1 / std::sqrt(11)));
}

// With z beside the weight, and without.
BOOST_AUTO_TEST_CASE_TEMPLATE(ftrl_follows_mcmahan, Optimizer, FtrlKinds) {
  const Optimizer ftrl{params(0.5f)};
  Scalar w(0.0f), state[2];
  ftrl.init(w, state);
  ftrl.step(w, state, Scalar(3.0f));  // z = 3, n = 9
  BOOST_TEST(near(w.v, -3 / ((1 + 3) / 0.5)));
  const double before = -0.375, sigma = (5 - 3) / 0.5;
  ftrl.step(w, state, Scalar(4.0f));  // n = 25
  const double z = 3 + 4 - sigma * before;
  BOOST_TEST(near(w.v, -z / ((1 + 5) / 0.5)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ftrl_starts_at_the_given_weight, Optimizer, FtrlKinds) {
  OptimizerParams p = params(0.5f);
  p.l1 = Optimizer::info.has_own_l1 ? 0.3f : 0, p.l2 = 0.2f;
  const Optimizer ftrl{p};
  for (const float start : {-0.7f, 0.0f, 0.1f}) {
    Scalar w(start), state[2];
    ftrl.init(w, state);
    ftrl.step(w, state, Scalar(0.0f));
    BOOST_TEST(near(w.v, start));
  }
}

BOOST_AUTO_TEST_CASE(ftrl_gives_exact_zeros_below_l1) {
  OptimizerParams p = params(0.5f);
  p.l1 = 1;
  const Proximal<FtrlL1> ftrl{p};
  Scalar w(0.0f), state[2];
  ftrl.init(w, state);
  ftrl.step(w, state, Scalar(0.9f));
  BOOST_TEST(w.v == 0);
  ftrl.step(w, state, Scalar(0.9f));
  BOOST_TEST(w.v < 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
