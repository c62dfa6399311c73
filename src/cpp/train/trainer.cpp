#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/random.h"
#include "train/batch_trainer.h"
#include "train/initializer.h"
#include "train/row_order.h"
#include "train/worker.h"

namespace pyfm {

void check_targets(const Model& model, const Dataset& data) {
  if (data.buffers().y.empty() && data.n_rows() > 0)
    throw std::invalid_argument("training data: expected targets y, found none");
  for (Index i = 0; i < data.n_rows(); ++i)
    if (!model.loss().in_domain(data.y(i)))
      throw std::invalid_argument("y[" + std::to_string(i) + "]: the " +
                                  std::string(model.loss().name()) + " loss expects " +
                                  model.loss().domain() + ", found " + std::to_string(data.y(i)));
}

namespace {

void start_bias(Model& model) {
  if (std::exchange(model.bias_started, true)) return;
  for (ModelPart& p : model.parts())
    if (p.kernels().init_bias) p.kernels().init_bias(p.view());
}

template <bool selected>
void train_rows(const RowLoss& loss, Worker& worker, const Dataset& data, const Index* order,
                Index size, Progressive* stream) {
  const auto prepare = [&](Index i) {
    worker.prepare<selected, true>(data, i, size, [&](Index r) { return order[r]; });
  };
  constexpr Index ahead = Worker::kAhead + 2;
  for (Index i = 0; i < ahead; ++i) prepare(i);
  for (Index i = 0; i < size; ++i) {
    const float score = stream ? worker.score(i, order[i], *stream) : worker.score(i);
    const float weight = data.weight(order[i]), y = data.y(order[i]);
    LossTerm term;
    if (const Loss* one = loss.of_one()) {
      const LossValue found = one->value(score, y);
      term = found;
      prepare(i + ahead);  // while the exponential of the loss is on its way
      worker.update(weight * found.dscore);
    } else {
      const std::span<float> scores = worker.scores();
      term = loss.slopes(scores, y);
      prepare(i + ahead);
      for (float& slope : scores) slope *= weight;
      worker.update(scores);
    }
    if (stream) stream->meet(data.row(order[i]));
    worker.loss.add(weight, term);
  }
}

void train_blocks(Model& model, const Dataset& data, const Array<Index>& order,
                  std::vector<Worker>& workers, const EpochOptions& options) {
  const auto n = static_cast<int>(workers.size());
  const auto train = data.is_selection() ? train_rows<true> : train_rows<false>;
  const Index first = options.position ? options.position->n_rows : 0;
  for_row_blocks(data.n_rows(), n, options.poll, [&](int thread, Index begin, Index end) {
    Worker& worker = workers[static_cast<std::size_t>(thread)];
    worker.begin_block(first + begin);
    train(model.loss(), worker, data, order.data() + begin, end - begin, options.stream);
    worker.end_block();
  });
}

// The first worker goes on with the sums, too: on one thread the last bit does not tell of pieces.
void go_on(std::vector<Worker>& workers, const EpochPosition& position) {
  workers[0].loss = position.sum;
  for (std::size_t i = 0; i < std::min(workers.size(), position.noise.size()); ++i)
    workers[i].load_noise(position.noise[i]);
}

void leave(std::vector<Worker>& workers, EpochPosition& position, std::size_t n_parts) {
  position.noise.resize(std::max(workers.size(), position.noise.size()));
  for (std::size_t i = 0; i < workers.size(); ++i) {
    position.noise[i].resize(n_parts);
    workers[i].save_noise(position.noise[i]);
  }
}

LossSum train_examples(Model& model, const Dataset& data, const Array<Index>& order,
                       const EpochOptions& options) {
  std::vector<Worker> workers =
      make_workers(model, data, options.n_threads, Purpose::train, options.numbered);
  augment(workers, options.augmentation, model.spec().seed, options.epoch);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const auto epoch = static_cast<std::uint64_t>(options.epoch);
    workers[i].seed_noise(random_key(random_key(model.spec().seed, epoch), i));
  }
  if (options.stream) workers[0].load_noise(model.stream.noise);
  if (options.position) go_on(workers, *options.position);
  const auto merge_all = [&] {
    for (Worker& worker : workers) worker.merge_all();
  };
  try {
    train_blocks(model, data, order, workers, options);
  } catch (...) {
    merge_all();  // what was learned so far
    throw;
  }
  merge_all();
  if (options.stream) {
    model.stream.noise.resize(model.parts().size());
    workers[0].save_noise(model.stream.noise);
  }
  if (options.position) leave(workers, *options.position, model.parts().size());
  LossSum sum;
  for (const Worker& worker : workers) sum.add(worker.loss);
  return sum;
}

}  // namespace

EpochStats train_epoch(Model& model, const Dataset& data, const EpochOptions& options) {
  check_trainable(model, data);
  check_targets(model, data);
  const auto start = std::chrono::steady_clock::now();
  if (!options.position)
    initialize(model, data, options.n_threads, options.poll, options.augmentation);
  start_bias(model);
  const Array<Index> order = row_order(data.n_rows(), model.spec().seed, options);
  const bool in_batches = options.batch_size != 1 || model.network();
  const auto train = in_batches ? train_batches : train_examples;
  if (options.numbered) check_numbered(model, data, *options.numbered, options.augmentation);
  const LossSum sum =
      train(model, options.numbered ? options.numbered->rows : data, order, options);
  EpochStats stats;
  stats.loss = sum.mean();
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (EpochPosition* position = options.position) {
    position->n_rows += data.n_rows();
    ++position->n_pieces;
    position->sum = sum;
    stats.seconds = position->seconds += stats.seconds;
  }
  return stats;
}

}  // namespace pyfm
