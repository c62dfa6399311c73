#include "train/trainer.h"

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/random.h"
#include "train/initializer.h"

namespace pyfm {

namespace {

// While a row is computed, the weights of the row this far behind it are on their way,
constexpr Index kAhead = 2;
// and the data of a row further behind: shuffled rows lie anywhere.
constexpr Index kRowsAhead = 6;

void check_targets(const Model& model, const Dataset& data) {
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

void meet_bias(Model& model, const Worker& worker) {
  if (!model.meet_bias()) return;
  for (const PartWorker& p : worker.parts)
    if (p.kernels->init_bias) p.kernels->init_bias(p.view);
}

void train_rows(Model& model, Worker& worker, const Dataset& data, const Index* order, Index size) {
  for (Index i = -kAhead; i < size; ++i) {
    if (i + kRowsAhead < size) data.prefetch(order[i + kRowsAhead]);
    Row next;
    const bool ahead = i + kAhead < size;
    if (ahead) meet(model, worker, next = data.row(order[i + kAhead]));
    if (i < 0) continue;
    const float score = worker.score(data.row(order[i]), ahead ? &next : nullptr);
    const float weight = data.weight(order[i]);
    const auto [loss, dscore] = model.loss().value(score, data.y(order[i]));
    worker.update(weight * dscore);
    worker.loss += weight * loss;
    worker.weight += weight;
  }
}

}  // namespace

EpochStats train_epoch(Model& model, const Dataset& data, const EpochOptions& options) {
  check_trainable(model, data);
  check_targets(model, data);
  const auto start = std::chrono::steady_clock::now();
  const Array<Index> order = row_order(data.n_rows(), model.spec().seed, options);
  std::vector<Worker> workers = make_workers(model, data, options.n_threads);
  meet_bias(model, workers.front());
  for_row_blocks(data.n_rows(), workers, options.poll, [&](Worker& worker, Index begin, Index end) {
    train_rows(model, worker, data, order.data() + begin, end - begin);
  });
  EpochStats stats;
  double weight = 0;
  for (const Worker& worker : workers) stats.loss += worker.loss, weight += worker.weight;
  stats.loss = weight > 0 ? stats.loss / weight : 0;
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return stats;
}

}  // namespace pyfm
