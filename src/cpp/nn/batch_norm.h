// Batch normalization (Ioffe, Szegedy 2015): γ (x - μ) / √(σ² + ε) + β, with μ and σ² of each
// column of the batch; at prediction with estimates of them.
#pragma once
#include <string>
#include <vector>

#include "nn/layer.h"

namespace pyfm {

enum class Inference {
  population,  // the paper's: means over the batches of an epoch, of means and unbiased variances
  moving_average  // as the frameworks do: the newest batch has weight `momentum`
};

// "population" or "moving_average". Throws std::invalid_argument that lists them.
Inference find_inference(const std::string& name);

struct BatchNormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;
  Inference inference = Inference::population;
  bool relu = false;  // max(0, ·) of the result
};

// Both estimates are kept, whichever is used. Of the population's, an epoch's first batch discards
// those of the epoch before: so that they are there as long as the new epoch has none.
class BatchNorm final : public Layer {
 public:
  // Throws std::invalid_argument.
  BatchNorm(Index n, const BatchNormOptions& = {});
  std::vector<Parameter> parameters() const override;
  void bind(std::span<const ParameterMemory>) override;
  std::vector<Buffer> buffers() override;
  void start_epoch() override { n_batches() = 0; }
  // Throws std::invalid_argument for a batch of one, which has no variance.
  void forward(ConstMatrix x, Matrix out, Workspace&, const Pass&) override;
  void backward(ConstMatrix x, ConstMatrix out, ConstMatrix dout, Matrix dx, Workspace&,
                const Pass&) override;
  void predict(ConstMatrix x, Matrix out, Workspace&, Team& team) const override;
  bool in_place() const override { return true; }

 private:
  enum Statistic { population_mean, population_variance, moving_mean, moving_variance };
  double* statistic(Statistic s) { return statistics_.data() + s * n_out(); }
  const double* statistic(Statistic s) const { return statistics_.data() + s * n_out(); }
  double& n_batches() { return statistics_.back(); }
  void update_statistics(const double* mean, const double* squares, Index rows);
  void normalize(ConstMatrix x, const double* mean, const double* variance, double divisor,
                 Matrix out, Workspace&, Team& team) const;

  BatchNormOptions options_;
  ParameterMemory gamma_, beta_;
  std::vector<double> statistics_;  // (4, n), and the batches of this epoch
};

}  // namespace pyfm
