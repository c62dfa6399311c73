#include "nn/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "nn/kernels.h"
#include "nn/pieces.h"

namespace pyfm {

namespace {

// Rows of numbers per column that the layer keeps in its workspace.
enum Row { kMean, kScale, kInverseDeviation, kA, kB, kRows };

// The means of the columns, then the sums of squared deviations from them (Chan, Golub, LeVeque
// 1979): in float64, from float32 sums over pieces.
const double* moments(ConstMatrix x, Workspace& workspace, Team& team) {
  const Index n = x.columns, pieces = n_pieces(x.rows);
  float* const sums = workspace.floats(pieces * 2 * n);
  const auto kernel = nn_kernels().column_moments;
  for_row_pieces(x.rows, team, [&](Index first, Index count) {
    kernel(x.slice(first, count), sums + first / kPieceRows * 2 * n);
  });
  double *const mean = workspace.doubles(2 * n), *const squares = mean + n;
  std::fill_n(mean, 2 * n, 0.0);
  // f(rows, the first one, sums of the deviations from it, sums of their squares)
  const auto for_each = [&](auto&& f) {
    for (Index i = 0; i < pieces; ++i) {
      const Index first = i * kPieceRows;
      const float* const of_piece = sums + i * 2 * n;
      f(static_cast<double>(std::min(kPieceRows, x.rows - first)), x.row(first), of_piece,
        of_piece + n);
    }
  };
  for_each([&](double rows, const float* origin, const float* sum, const float*) {
    for (Index j = 0; j < n; ++j) mean[j] += rows * origin[j] + sum[j];
  });
  for (Index j = 0; j < n; ++j) mean[j] /= static_cast<double>(x.rows);
  for_each([&](double rows, const float* origin, const float* sum, const float* square) {
    const double inverse = 1 / rows;
    for (Index j = 0; j < n; ++j) {
      const double s = sum[j], off = origin[j] + s * inverse - mean[j];
      squares[j] += std::max(0.0, square[j] - s * s * inverse) + rows * off * off;
    }
  });
  return mean;
}

BatchNormView view(const Matrix& columns, const ParameterMemory& beta) {
  return {columns.row(kMean), columns.row(kScale), beta.value.data};
}

}  // namespace

Inference find_inference(const std::string& name) {
  if (name == "population") return Inference::population;
  if (name == "moving_average") return Inference::moving_average;
  throw std::invalid_argument("inference: expected 'population' or 'moving_average', found '" +
                              name + "'");
}

BatchNorm::BatchNorm(Index n, const BatchNormOptions& options)
    : Layer(n, n), options_(options), statistics_(static_cast<std::size_t>(4 * n + 1)) {
  if (!(options.epsilon > 0 && std::isfinite(options.epsilon)))
    throw std::invalid_argument("eps: expected a finite number above 0, found " +
                                std::to_string(options.epsilon));
  if (!(options.momentum > 0 && options.momentum <= 1))
    throw std::invalid_argument("momentum: expected a number above 0, at most 1, found " +
                                std::to_string(options.momentum));
  std::fill_n(statistic(population_variance), n, 1.0);
  std::fill_n(statistic(moving_variance), n, 1.0);
}

std::vector<Parameter> BatchNorm::parameters() const {
  return {{"gamma", 1, n_out(), {Scheme::constant, 1}}, {"beta", 1, n_out(), {}}};
}

void BatchNorm::bind(std::span<const ParameterMemory> memory) {
  gamma_ = memory[0];
  beta_ = memory[1];
}

std::vector<Buffer> BatchNorm::buffers() {
  const auto n = static_cast<std::size_t>(n_out());
  return {{"population_mean", {statistic(population_mean), n}},
          {"population_variance", {statistic(population_variance), n}},
          {"moving_mean", {statistic(moving_mean), n}},
          {"moving_variance", {statistic(moving_variance), n}},
          {"n_batches", {&n_batches(), 1}}};
}

void BatchNorm::update_statistics(const double* mean, const double* squares, Index rows) {
  const double population = 1 / (n_batches() += 1), divisor = static_cast<double>(rows - 1);
  const auto blend = [&](Statistic s, double weight, Index j, double x) {
    double& average = statistic(s)[j];
    average = weight == 1 ? x : average + weight * (x - average);
  };
  for (Index j = 0; j < n_out(); ++j) {
    const double variance = squares[j] / divisor;
    blend(population_mean, population, j, mean[j]);
    blend(population_variance, population, j, variance);
    blend(moving_mean, options_.momentum, j, mean[j]);
    blend(moving_variance, options_.momentum, j, variance);
  }
}

void BatchNorm::normalize(ConstMatrix x, const double* mean, const double* variance, double divisor,
                          Matrix out, Workspace& workspace, Team& team) const {
  const Matrix columns = workspace.matrix(0, kRows, n_out());
  for (Index j = 0; j < n_out(); ++j) {
    const double inverse = 1 / std::sqrt(variance[j] / divisor + options_.epsilon);
    columns.row(kMean)[j] = static_cast<float>(mean[j]);
    columns.row(kInverseDeviation)[j] = static_cast<float>(inverse);
    columns.row(kScale)[j] = static_cast<float>(gamma_.value.data[j] * inverse);
  }
  const BatchNormView with = view(columns, beta_);
  const auto kernel = nn_kernels().batch_norm_forward[options_.relu];
  for_row_pieces_backwards(x.rows, team, [&](Index first, Index n) {
    kernel(x.slice(first, n), with, out.slice(first, n));
  });
}

void BatchNorm::forward(ConstMatrix x, Matrix out, Workspace& workspace, const Pass& pass) {
  if (x.rows < 2)
    throw std::invalid_argument(
        "batch normalization: expected a batch of at least 2 rows to train on, since it needs "
        "their variance, found " +
        std::to_string(x.rows));
  const double *const mean = moments(x, workspace, pass.team), *const squares = mean + n_out();
  update_statistics(mean, squares, x.rows);
  normalize(x, mean, squares, static_cast<double>(x.rows), out, workspace, pass.team);
}

void BatchNorm::predict(ConstMatrix x, Matrix out, Workspace& workspace, Team& team) const {
  const bool moving = options_.inference == Inference::moving_average;
  normalize(x, statistic(moving ? moving_mean : population_mean),
            statistic(moving ? moving_variance : population_variance), 1, out, workspace, team);
}

// With g = dout past the ReLU and x̂ = (x - μ) / √(σ² + ε):
// dx = γ / √(σ² + ε) (g - mean(g) - x̂ mean(g x̂)), dγ = Σ g x̂, dβ = Σ g.
void BatchNorm::backward(ConstMatrix x, ConstMatrix, ConstMatrix dout, Matrix dx,
                         Workspace& workspace, const Pass& pass) {
  const Index n = n_out();
  const NnKernels& kernels = nn_kernels();
  const Matrix columns = workspace.matrix(0, kRows, n);
  const BatchNormView with = view(columns, beta_);
  const double* const sums =
      sum_pieces(x.rows, 2 * n, pass.team, workspace, [&](Index first, Index count, float* to) {
        kernels.batch_norm_sums[options_.relu](x.slice(first, count), dout.slice(first, count),
                                               with, to);
      });
  const auto m = static_cast<double>(x.rows);
  for (Index j = 0; j < n; ++j) {
    const double inverse = columns.row(kInverseDeviation)[j];
    if (beta_.gradient.data) beta_.gradient.data[j] = static_cast<float>(sums[j]);
    if (gamma_.gradient.data) gamma_.gradient.data[j] = static_cast<float>(sums[n + j] * inverse);
    columns.row(kA)[j] = static_cast<float>(sums[j] / m);
    columns.row(kB)[j] = static_cast<float>(sums[n + j] * inverse * inverse / m);
  }
  if (!dx.data) return;
  for_row_pieces_backwards(x.rows, pass.team, [&](Index first, Index count) {
    kernels.batch_norm_backward[options_.relu](x.slice(first, count), dout.slice(first, count),
                                               with, columns.row(kA), columns.row(kB),
                                               dx.slice(first, count));
  });
}

}  // namespace pyfm
