#include "train/trainer.h"

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/random.h"
#include "train/worker.h"

namespace pyfm {

namespace {

// While a row is computed, the memory of the row this far behind it is on its way.
constexpr Index kAhead = 2;

void check(const Model& model, const Dataset& data) {
  const ModelSpec& spec = model.spec();
  if (!model.trainable())
    throw std::invalid_argument("this model has no optimizer state: it was made for prediction");
  if (data.n_features() > spec.n_features)
    throw std::invalid_argument("training data: expected at most " +
                                std::to_string(spec.n_features) + " features, found " +
                                std::to_string(data.n_features()));
  if (spec.kind == "ffm" && data.n_fields() > spec.n_fields)
    throw std::invalid_argument("training data: expected at most " + std::to_string(spec.n_fields) +
                                " fields, found " + std::to_string(data.n_fields()));
  if (data.buffers().y.empty() && data.n_rows() > 0)
    throw std::invalid_argument("training data: expected targets y, found none");
  for (Index i = 0; i < data.n_rows(); ++i)
    if (!model.loss().in_domain(data.y(i)))
      throw std::invalid_argument(
          "y[" + std::to_string(i) + "]: the " + std::string(model.loss().name) + " loss expects " +
          std::string(model.loss().domain) + ", found " + std::to_string(data.y(i)));
}

// Fisher-Yates.
Array<Index> row_order(Index n_rows, std::uint64_t seed, const EpochOptions& options) {
  Array<Index> order(n_rows);
  std::iota(order.data(), order.data() + n_rows, Index{0});
  if (!options.shuffle) return order;
  const std::uint64_t key = random_key(~seed, static_cast<std::uint64_t>(options.epoch));
  for (Index i = n_rows - 1; i > 0; --i) {
    const auto position = static_cast<std::uint64_t>(i);
    std::swap(order[i], order[static_cast<Index>(random_below(key, position, position + 1))]);
  }
  return order;
}

// Gives rows that training meets for the first time their initial values.
void touch(Model& model, Worker& worker, const Row& row) {
  for (Index i = 0; i < row.size; ++i)
    if (model.meet(row.features[i])) [[unlikely]]
      for (const PartWorker& p : worker.parts) p.kernels->init_row(p.view, row.features[i]);
  worker.prefetch(row);
}

void train_row(const Model& model, Worker& worker, const Row& row, float y, float weight) {
  const float scale = model.spec().normalize ? unit_length(row) : 1.0f;
  const auto [loss, dscore] = model.loss().value(worker.score(row, scale), y);
  worker.update(weight * dscore);
  worker.loss += weight * loss;
  worker.weight += weight;
}

}  // namespace

EpochStats train_epoch(Model& model, const Dataset& data, const EpochOptions& options) {
  check(model, data);
  const auto start = std::chrono::steady_clock::now();
  const Array<Index> order = row_order(data.n_rows(), model.spec().seed, options);
  std::vector<Worker> workers = make_workers(model, data, options.n_threads);
  for_row_blocks(data.n_rows(), workers, options.poll, [&](Worker& worker, Index begin, Index end) {
    for (Index i = begin - kAhead; i < end; ++i) {
      if (i + kAhead < end) touch(model, worker, data.row(order[i + kAhead]));
      if (i >= begin)
        train_row(model, worker, data.row(order[i]), data.y(order[i]), data.weight(order[i]));
    }
  });
  EpochStats stats;
  double weight = 0;
  for (const Worker& worker : workers) stats.loss += worker.loss, weight += worker.weight;
  stats.loss = weight > 0 ? stats.loss / weight : 0;
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return stats;
}

}  // namespace pyfm
