// Optimizers on one weight, against values worked out by hand.
#include <boost/test/unit_test.hpp>
#include <cmath>

#define PYFM_ISA test_optim
#include "optim/adagrad.h"
#include "optim/ftrl.h"
#include "optim/sgd.h"
#include "simd/scalar.h"

namespace pyfm {
namespace {

using test_optim::AdaGrad;
using test_optim::Ftrl;
using test_optim::Scalar;
using test_optim::Sgd;

OptimizerParams params(float learning_rate) {
  OptimizerParams p;
  p.learning_rate = learning_rate;
  p.beta = 1;
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

BOOST_AUTO_TEST_CASE(ftrl_follows_mcmahan) {
  const Ftrl ftrl{params(0.5f)};
  Scalar w(0.0f), state[2];
  ftrl.init(w, state);
  ftrl.step(w, state, Scalar(3.0f));  // z = 3, n = 9
  BOOST_TEST(near(w.v, -3 / ((1 + 3) / 0.5)));
  const double before = -0.375, sigma = (5 - 3) / 0.5;
  ftrl.step(w, state, Scalar(4.0f));  // n = 25
  const double z = 3 + 4 - sigma * before;
  BOOST_TEST(near(w.v, -z / ((1 + 5) / 0.5)));
}

BOOST_AUTO_TEST_CASE(ftrl_starts_at_the_given_weight) {
  OptimizerParams p = params(0.5f);
  p.l1 = 0.3f, p.l2 = 0.2f;
  const Ftrl ftrl{p};
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
  const Ftrl ftrl{p};
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
