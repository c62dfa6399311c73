// A model: parts whose scores add up. It owns the tables; trainer and predictor work on it.
#pragma once
#include <array>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "base/array.h"
#include "base/bits.h"
#include "loss/loss.h"
#include "train/kernels.h"
#include "train/spec.h"

namespace pyfm {

struct ModelPart {
  Part part;
  PartShape shape;
  OptimizerSpec optimizer;
  Array<float> rows;  // (n_features, stride)
  Array<float> bias;  // (1 + slots,); only in the linear part

  PartView view() noexcept {
    return {shape, optimizer.params, rows.data(), bias.empty() ? nullptr : bias.data()};
  }
};

// Weights (not optimizer state) of the features that training had met, one after the other.
struct Snapshot {
  Bits met;
  std::vector<Array<float>> rows;  // (number of features met, width) of each part
  float bias = 0;
};

class Model {
 public:
  // Throws std::invalid_argument, or OutOfMemory before anything is allocated.
  explicit Model(ModelSpec spec);

  const ModelSpec& spec() const noexcept { return spec_; }
  const Loss& loss() const noexcept { return *loss_; }
  std::vector<ModelPart>& parts() noexcept { return parts_; }
  ModelPart* find(Part part) noexcept;  // null when the model has no such part
  bool trainable() const noexcept { return spec_.linear_optimizer || spec_.factor_optimizer; }

  Index nbytes() const noexcept;
  Index weight_nbytes() const noexcept;

  // Rows start empty (zero); `init` fills one when training first meets its feature. Threads that
  // need the feature meanwhile wait: AdaGrad's state of a row half filled is 0, and 0/√0 is NaN.
  template <class F>
  void meet(FeatureId j, F&& init) {
    std::atomic_ref<std::uint64_t> word(met_.word(j));
    const std::uint64_t bit = Bits::mask(j);
    if (word.load(std::memory_order_acquire) & bit) [[likely]]
      return;
    const std::lock_guard lock(meeting_[j % meeting_.size()]);
    if (word.load(std::memory_order_relaxed) & bit) return;
    init();
    word.fetch_or(bit, std::memory_order_release);
  }

  // True for the first caller: the bias gets its optimizer state then.
  bool meet_bias() noexcept { return !std::exchange(bias_met_, true); }

  // Into memory that earlier snapshots may have left there.
  void save(Snapshot& snapshot) const;
  void restore(const Snapshot& snapshot);

 private:
  void add_part(Part part, PartShape shape, const std::optional<OptimizerSpec>& optimizer);

  ModelSpec spec_;
  const Loss* loss_;
  std::vector<ModelPart> parts_;
  Bits met_;                            // features
  std::array<std::mutex, 64> meeting_;  // held while a row is filled; which one: by feature
  bool bias_met_ = false;
};

}  // namespace pyfm
