#include "train/stream.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "train/feature_count.h"
#include "train/initializer.h"
#include "train/progressive.h"
#include "train/row_copies.h"
#include "train/trainer.h"
#include "train/worker.h"

namespace pyfm {

namespace {

constexpr Index kRowsPerThread = 128;  // at least: starting one takes as long as learning some rows

class Learning {
 public:
  Learning(Model& model, const Dataset& data, const StreamOptions& options)
      : model_(model),
        data_(data),
        options_(options),
        n_threads_(static_cast<int>(std::clamp<Index>(data.n_rows() / kRowsPerThread, 1,
                                                      resolve_threads(options.n_threads)))),
        n_features_(model.spec().n_features),
        first_new_(model.rows().n_rows()),
        bias_started_(model.bias_started),
        recount_(model.recount),
        stream_(model.stream) {}

  void run(std::span<float> scores) {
    model_.resize(std::max(n_features_, data_.n_features()));
    check_trainable(model_, data_);
    // The bits that round depend on the row in batches: its number must not depend on the cuts.
    const bool in_order = options_.batch_size != 1 && has_noise();
    admitted_ = admit(model_, data_, in_order, n_threads_, options_.poll);
    is_counted_ = true;
    rows_ = rows_of(model_, data_);
    if (undo_bytes() <= options_.most_undo_bytes)
      copies_.emplace(model_,
                      std::span(rows_.begin(), std::ranges::lower_bound(rows_, first_new_)));
    Progressive progressive(model_.rows(), first_new_, scores);
    train_epoch(model_, data_,
                {.epoch = -1,
                 .shuffle = false,
                 .n_threads = n_threads_,
                 .poll = options_.poll,
                 .batch_size = options_.batch_size,
                 .stream = &progressive});
  }

  bool is_finite(std::span<const float> scores) const {
    for (const float score : scores)
      if (!std::isfinite(score)) return false;
    return model_.row_is_finite(0) &&
           std::ranges::all_of(rows_, [&](RowId r) { return model_.row_is_finite(r); });
  }

  // Whether everything is as before.
  bool undo() {
    if (is_counted_ && !copies_) return false;
    if (copies_) copies_->restore(model_);
    model_.truncate(first_new_);
    if (is_counted_) {
      for (const RowMap::Counted& f : admitted_) model_.rows().set_count(f.feature, f.count);
      uncount_features(model_, data_);
    }
    model_.resize(n_features_);
    model_.bias_started = bias_started_;
    model_.recount = recount_;
    model_.stream = stream_;
    return true;
  }

 private:
  bool has_noise() const {
    return std::ranges::any_of(
        model_.parts(), [](const ModelPart& p) { return p.shape.storage != Storage::float32; });
  }

  Index undo_bytes() const {
    Index bytes = 0;
    for (const ModelPart& p : model_.parts())
      bytes += p.shape.row_bytes() * std::min(first_new_, data_.nnz());
    return bytes + (model_.network() ? model_.network()->nbytes() : 0);
  }

  Model& model_;
  const Dataset& data_;
  const StreamOptions& options_;
  int n_threads_;
  // As it was before.
  Index n_features_, first_new_;
  bool bias_started_, recount_;
  StreamPosition stream_;
  // What has been done.
  std::vector<RowMap::Counted> admitted_;
  bool is_counted_ = false;
  std::vector<RowId> rows_;  // of the data
  std::optional<RowCopies> copies_;
};

}  // namespace

StreamStats learn(Model& model, const Dataset& data, const StreamOptions& options,
                  std::span<float> scores) {
  check_targets(model, data);
  const auto start = std::chrono::steady_clock::now();
  Learning learning(model, data, options);
  StreamStats stats;
  try {
    learning.run(scores);
    stats.finite = learning.is_finite(scores);
    // Whoever was to be heard since the last time: afterwards nothing can be undone.
    if (stats.finite && options.poll) options.poll(data.n_rows());
  } catch (...) {
    learning.undo();
    model.initialized_for = 0;  // later data may be the same, but counts are those of the stream
    throw;
  }
  model.initialized_for = 0;
  stats.undone = !stats.finite && learning.undo();
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return stats;
}

}  // namespace pyfm
