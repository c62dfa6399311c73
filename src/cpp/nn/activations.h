// Activations: value(x) and gradient(known, dout), where `known` is as in nn/kernels.h.
#pragma once
#include "nn/kernels.h"
#include "nn/vec_math.h"
#include "nn/vec_rows.h"

namespace pyfm::PYFM_ISA {
namespace {

struct Identity {
  static Vec value(Vec x, Vec) { return x; }
  static Vec gradient(Vec, Vec dout, Vec) { return dout; }
};

struct Relu {
  static Vec value(Vec x, Vec) { return maximum(x, 0.0f); }
  static Vec gradient(Vec y, Vec dout, Vec) {
    return select(less_equal(y, Vec(0.0f)), Vec(0.0f), dout);
  }
};

// Maas, Hannun, Ng 2013.
struct LeakyRelu {
  static Vec value(Vec x, Vec alpha) { return select(less_equal(x, Vec(0.0f)), alpha * x, x); }
  static Vec gradient(Vec y, Vec dout, Vec alpha) {
    return select(less_equal(y, Vec(0.0f)), alpha * dout, dout);
  }
};

// Clevert, Unterthiner, Hochreiter 2016: α (e^x - 1) below 0.
struct Elu {
  static Vec value(Vec x, Vec alpha) {
    const Vec low = alpha * expm1_of_negative(select(less_equal(x, Vec(0.0f)), x, Vec(0.0f)));
    return select(less_equal(x, Vec(0.0f)), low, x);
  }
  static Vec gradient(Vec y, Vec dout, Vec alpha) {
    return select(less_equal(y, Vec(0.0f)), dout * (y + alpha), dout);
  }
};

struct Sigmoid {
  static Vec value(Vec x, Vec) { return sigmoid(x); }
  static Vec gradient(Vec y, Vec dout, Vec) { return dout * y * (Vec(1.0f) - y); }
};

struct Tanh {
  static Vec value(Vec x, Vec) { return tanh(x); }
  static Vec gradient(Vec y, Vec dout, Vec) { return dout * ((Vec(1.0f) - y) * (Vec(1.0f) + y)); }
};

// x Φ(x), Hendrycks, Gimpel 2016; the exact form.
struct Gelu {
  static Vec value(Vec x, Vec) { return x * normal(x).cumulative; }
  static Vec gradient(Vec x, Vec dout, Vec) {
    const Normal at = normal(x);
    return dout * fma(x, at.density, at.cumulative);
  }
};

template <class A>
void activation_forward(ConstMatrix x, const float* bias, float alpha, Matrix out) noexcept {
  const Vec a(alpha);
  if (!bias) return map(out, [&](Vec v) { return A::value(v, a); }, x);
  for (Index i = 0; i < out.rows; ++i)
    for_columns(out.columns, [&](Index at, auto lanes) {
      lanes.store(A::value(lanes.load(x.row(i) + at) + lanes.load(bias + at), a), out.row(i) + at);
    });
}

template <class A>
void activation_backward(ConstMatrix known, ConstMatrix dout, float alpha, Matrix dx,
                         float* sums) noexcept {
  const Vec a(alpha);
  if (!sums) return map(dx, [&](Vec k, Vec d) { return A::gradient(k, d, a); }, known, dout);
  sum_columns<1, 1>(dx.rows, dx.columns, sums, no_constants,
                    [&](Index i, Index at, auto lanes, None, Vec(&s)[1]) {
                      const Vec d = A::gradient(lanes.load(known.row(i) + at),
                                                lanes.load(dout.row(i) + at), a);
                      lanes.store(d, dx.row(i) + at);
                      s[0] = s[0] + d;
                    });
}

// He et al. 2015: the slopes below 0 are trained.
void prelu_forward(ConstMatrix x, const float* alpha, Matrix out) noexcept {
  for (Index i = 0; i < out.rows; ++i)
    for_columns(out.columns, [&](Index at, auto lanes) {
      lanes.store(LeakyRelu::value(lanes.load(x.row(i) + at), lanes.load(alpha + at)),
                  out.row(i) + at);
    });
}

void prelu_backward(ConstMatrix x, ConstMatrix dout, const float* alpha, Matrix dx,
                    float* sums) noexcept {
  sum_columns<1, 1>(
      x.rows, x.columns, sums, [&](Index at, auto lanes) { return lanes.load(alpha + at); },
      [&](Index i, Index at, auto lanes, Vec a, Vec(&s)[1]) {
        const Vec v = lanes.load(x.row(i) + at), d = lanes.load(dout.row(i) + at);
        if (dx.data) lanes.store(LeakyRelu::gradient(v, d, a), dx.row(i) + at);
        s[0] = s[0] + select(less_equal(v, Vec(0.0f)), v * d, Vec(0.0f));
      });
}

template <class... A>
struct ActivationList {
  static constexpr ActivationKernels kernels[] = {
      {&activation_forward<A>, &activation_backward<A>}...};
  static_assert(sizeof...(A) == kActivations);
};

// In the order of enum ActivationKind.
using Activations = ActivationList<Identity, Relu, LeakyRelu, Elu, Sigmoid, Tanh, Gelu>;

}  // namespace
}  // namespace pyfm::PYFM_ISA
