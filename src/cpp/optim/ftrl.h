// FTRL-proximal (McMahan et al. 2013), per coordinate:
//   σ = (√(n + g²) - √n) / α,  z += g - σ w,  n += g²
//   w = 0 if |z| <= λ₁, else -(z - sign(z) λ₁) / c,   c = (β + √n) / α + λ₂
// The weight is a function of z and n, so z starts where that function gives the initial weight.
// Kept is √n in place of n: one root a step, and in 16 bits a wider range.
#pragma once
#include "optim/merge.h"
#include "optim/params.h"

namespace pyfm::PYFM_ISA {
namespace {

// c, and how two copies' n add up.
struct FtrlCurvature {
  float inverse_rate, least_curvature;

  explicit FtrlCurvature(const OptimizerParams& p)
      : inverse_rate(1 / p.learning_rate), least_curvature(p.beta / p.learning_rate + p.l2) {}

  template <class V>
  V curvature(V root_n) const {
    return fma(root_n, V(inverse_rate), V(least_curvature));
  }
  template <class V>
  static V merged_root(V shared, V own, V base) {
    const V n = with_gain(shared * shared, own * own, base * base);
    return sqrt(select(less_equal(n, V(0.0f)), V(0.0f), n));
  }
};

// Without λ₁, w is -z / c: z is known from w, and what is left of the step is w -= g / c after n.
struct Ftrl : FtrlCurvature {
  static constexpr OptimizerInfo info = {"ftrl", 1, "learning_rate beta l2"};

  using FtrlCurvature::FtrlCurvature;

  template <class V>
  void init(V, V* s) const {
    s[0] = V(0.0f);
  }

  // What adds up is z; the weight follows.
  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    const V z = with_gain(shared[0] * curvature(shared[1]), own[0] * curvature(own[1]),
                          base[0] * curvature(base[1]));
    shared[1] = merged_root(shared[1], own[1], base[1]);
    shared[0] = z / curvature(shared[1]);
  }

  template <class V>
  V rate(const V* s) const {
    return V(1.0f) / curvature(s[0]);
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    s[0] = sqrt(fma(g, g, s[0] * s[0]));
    w = w - g / curvature(s[0]);
  }
};

// With λ₁, z has a place beside the weight, which is 0 for many a z.
struct FtrlL1 : FtrlCurvature {
  static constexpr OptimizerInfo info = {"ftrl_l1", 2, "learning_rate beta l1 l2", true};
  float l1;

  explicit FtrlL1(const OptimizerParams& p) : FtrlCurvature(p), l1(p.l1) {}

  template <class V>
  void init(V w, V* s) const {
    const V zero(0.0f);
    const V z = zero - (w * V(least_curvature) + copysign(V(l1), w));
    s[0] = select(less_equal(abs(w), zero), zero, z);
    s[1] = zero;
  }

  template <class V>
  void merge(V* shared, const V* own, const V* base) const {
    shared[1] = with_gain(shared[1], own[1], base[1]);
    shared[2] = merged_root(shared[2], own[2], base[2]);
    shared[0] = weight(shared[1], shared[2]);
  }

  template <class V>
  void step(V& w, V* s, V g) const {
    const V root = s[1];
    s[1] = sqrt(fma(g, g, root * root));
    s[0] = s[0] + g - (s[1] - root) * V(inverse_rate) * w;
    w = weight(s[0], s[1]);
  }

 private:
  template <class V>
  V weight(V z, V root_n) const {
    const V shrunk = copysign(V(l1), z) - z;
    return select(less_equal(abs(z), V(l1)), V(0.0f), shrunk / curvature(root_n));
  }
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
