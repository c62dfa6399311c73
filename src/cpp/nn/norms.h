// Kernels of batch and layer normalization.
#pragma once
#include "nn/kernels.h"
#include "nn/vec_math.h"
#include "nn/vec_rows.h"

namespace pyfm::PYFM_ISA {
namespace {

// Deviations are taken from the first row: for columns whose rows are all alike they are 0,
// exactly. Of 64 rows they cost at most 6 of the 24 bits, since one row is at most 8 standard
// deviations from their mean.
void column_moments(ConstMatrix x, float* sums) noexcept {
  sum_columns<2, 8>(
      x.rows, x.columns, sums, [&](Index at, auto lanes) { return lanes.load(x.data + at); },
      [&](Index i, Index at, auto lanes, Vec origin, Vec(&s)[2]) {
        const Vec d = lanes.load(x.row(i) + at) - origin;
        s[0] = s[0] + d;
        s[1] = fma(d, d, s[1]);
      });
}

struct BatchNormColumn {
  Vec mean, scale, beta;

  template <class L>
  [[gnu::always_inline]] BatchNormColumn(const BatchNormView& view, Index at, L lanes)
      : mean(lanes.load(view.mean + at)),
        scale(lanes.load(view.scale + at)),
        beta(lanes.load(view.beta + at)) {}
  // The same operations forward and backward, so that both see the ReLU cut the same examples.
  Vec value(Vec deviation) const { return fma(deviation, scale, beta); }
  template <bool relu>
  Vec gradient(Vec deviation, Vec dout) const {
    return relu ? select(less_equal(value(deviation), Vec(0.0f)), Vec(0.0f), dout) : dout;
  }
};

// Row by row, like all that reads or writes more than one matrix: see sum_columns.
template <bool relu>
void batch_norm_forward(ConstMatrix x, const BatchNormView& view, Matrix out) noexcept {
  for (Index i = 0; i < x.rows; ++i)
    for_columns(x.columns, [&](Index at, auto lanes) {
      const BatchNormColumn c(view, at, lanes);
      const Vec y = c.value(lanes.load(x.row(i) + at) - c.mean);
      lanes.store(relu ? maximum(y, 0.0f) : y, out.row(i) + at);
    });
}

template <bool relu>
void batch_norm_sums(ConstMatrix x, ConstMatrix dout, const BatchNormView& view,
                     float* sums) noexcept {
  sum_columns<2, 1>(
      x.rows, x.columns, sums,
      [&](Index at, auto lanes) { return BatchNormColumn(view, at, lanes); },
      [&](Index i, Index at, auto lanes, const BatchNormColumn& c, Vec(&s)[2]) {
        const Vec d = lanes.load(x.row(i) + at) - c.mean;
        const Vec g = c.gradient<relu>(d, lanes.load(dout.row(i) + at));
        s[0] = s[0] + g;
        s[1] = fma(g, d, s[1]);
      });
}

template <bool relu>
void batch_norm_backward(ConstMatrix x, ConstMatrix dout, const BatchNormView& view, const float* a,
                         const float* b, Matrix dx) noexcept {
  for (Index i = 0; i < x.rows; ++i)
    for_columns(x.columns, [&](Index at, auto lanes) {
      const BatchNormColumn c(view, at, lanes);
      const Vec d = lanes.load(x.row(i) + at) - c.mean;
      const Vec g = c.gradient<relu>(d, lanes.load(dout.row(i) + at));
      const Vec means = fma(d, lanes.load(b + at), lanes.load(a + at));
      lanes.store(c.scale * (g - means), dx.row(i) + at);
    });
}

// Ba, Kiros, Hinton 2016. The mean is taken twice: the first one's error is in the deviations.
void layer_norm_forward(ConstMatrix x, const LayerNormView& view, Matrix out,
                        float* moments) noexcept {
  const float inverse = 1.0f / static_cast<float>(x.columns);
  for (Index i = 0; i < x.rows; ++i) {
    const float* const row = x.row(i);
    float first[1], sums[2];
    sum_row(x.columns, first, [&](Index at, auto lanes, Vec(&s)[1]) {
      s[0] = s[0] + keep(lanes, lanes.load(row + at) - Vec(row[0]));
    });
    float mean = row[0] + first[0] * inverse;
    sum_row(x.columns, sums, [&](Index at, auto lanes, Vec(&s)[2]) {
      const Vec d = keep(lanes, lanes.load(row + at) - Vec(mean));
      s[0] = s[0] + d;
      s[1] = fma(d, d, s[1]);
    });
    const float off = sums[0] * inverse, variance = sums[1] * inverse - off * off;
    mean += off;
    const float inverse_deviation =
        1.0f / __builtin_sqrtf((variance < 0 ? 0 : variance) + view.epsilon);
    for_columns(x.columns, [&](Index at, auto lanes) {
      const Vec normalized = (lanes.load(row + at) - Vec(mean)) * Vec(inverse_deviation);
      lanes.store(fma(normalized, lanes.load(view.gamma + at), lanes.load(view.beta + at)),
                  out.row(i) + at);
    });
    if (moments) moments[2 * i] = mean, moments[2 * i + 1] = inverse_deviation;
  }
}

// With g = dout γ: dx = (g - mean(g) - x̂ mean(g x̂)) / √(σ² + ε).
void layer_norm_backward(ConstMatrix x, ConstMatrix dout, const LayerNormView& view,
                         const float* moments, Matrix dx, float* sums) noexcept {
  const Vec inverse(1.0f / static_cast<float>(x.columns));
  const Index n = x.columns;
  for (Index j = 0; j < 2 * n; ++j) sums[j] = 0;
  for (Index i = 0; i < x.rows; ++i) {
    const Vec mean(moments[2 * i]), inverse_deviation(moments[2 * i + 1]);
    const float *const row = x.row(i), *const drow = dout.row(i);
    float means[2];
    sum_row(n, means, [&](Index at, auto lanes, Vec(&s)[2]) {
      const Vec d = lanes.load(drow + at), g = d * lanes.load(view.gamma + at);
      const Vec normalized = (lanes.load(row + at) - mean) * inverse_deviation;
      s[0] = s[0] + g;
      s[1] = fma(g, normalized, s[1]);
      lanes.store(fma(d, normalized, lanes.load(sums + at)), sums + at);
      lanes.store(lanes.load(sums + n + at) + d, sums + n + at);
    });
    if (!dx.data) continue;
    const Vec a = Vec(means[0]) * inverse, b = Vec(means[1]) * inverse;
    for_columns(n, [&](Index at, auto lanes) {
      const Vec g = lanes.load(drow + at) * lanes.load(view.gamma + at);
      const Vec normalized = (lanes.load(row + at) - mean) * inverse_deviation;
      lanes.store((g - a - normalized * b) * inverse_deviation, dx.row(i) + at);
    });
  }
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
