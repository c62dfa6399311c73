#include "train/predictor.h"

#include <algorithm>

#include "train/deep_batch.h"
#include "train/worker.h"

namespace pyfm {

namespace {

// What becomes of one score, or of several of a row.
struct Raw {
  float operator()(float score) const noexcept { return score; }
  void operator()(std::span<const float> scores, float* to) const noexcept {
    std::ranges::copy(scores, to);
  }
};
struct Prediction {
  const RowLoss& loss;
  double operator()(float score) const noexcept { return loss.predict(score); }
  void operator()(std::span<const float> scores, double* to) const noexcept {
    loss.predict(scores, to);
  }
};

// Blocks of a deep model are the same for any number of threads, and so are its products of
// matrices.
Index block_size(const Model& model, const Dataset& data, int n_threads) {
  return model.network() ? DeepRows::kMost : row_block(data.n_rows(), n_threads);
}

template <bool selected, class T, class F>
void score_each(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                std::span<T> out, F&& finish) {
  constexpr Index ahead = Worker::kAhead + 2;
  std::vector<Worker> workers = make_workers(model, data, n_threads, Purpose::predict);
  const auto n = static_cast<int>(workers.size());
  std::vector<DeepRows> deep;
  for (int i = 0; i < n && model.network(); ++i) deep.emplace_back(model);
  const auto score_block = [&](int thread, Index begin, Index end) {
    Worker& worker = workers[static_cast<std::size_t>(thread)];
    DeepRows* const network = deep.empty() ? nullptr : &deep[static_cast<std::size_t>(thread)];
    const auto n_outputs = static_cast<Index>(model.n_outputs());
    T* const to = out.data() + begin * n_outputs;
    const auto prepare = [&](Index i) {
      const auto at = [&](Index r) { return begin + r; };
      worker.prepare<selected, selected>(data, i, end - begin, at);
    };
    for (Index i = 0; i < ahead; ++i) prepare(i);
    for (Index i = 0; i < end - begin; ++i) {
      const float score = worker.score(i);
      if (network)
        network->add(i, score, worker);
      else if (n_outputs == 1)
        to[i] = finish(score);
      else
        finish(worker.scores(), to + i * n_outputs);
      prepare(i + ahead);
    }
    if (!network) return;
    const std::span<const float> found = network->scores(end - begin);
    for (Index i = 0; i < end - begin; ++i) to[i] = finish(found[static_cast<std::size_t>(i)]);
  };
  for_row_blocks(data.n_rows(), block_size(model, data, n), n, poll, score_block);
}

template <class T, class F>
void score_rows(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                std::span<T> out, F&& finish) {
  if (data.is_selection())
    score_each<true>(model, data, n_threads, poll, out, finish);
  else
    score_each<false>(model, data, n_threads, poll, out, finish);
}

}  // namespace

void decision_function(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                       std::span<float> scores) {
  score_rows(model, data, n_threads, poll, scores, Raw{});
}

void predict(Model& model, const Dataset& data, int n_threads, const Poll& poll,
             std::span<double> predictions) {
  score_rows(model, data, n_threads, poll, predictions, Prediction{model.loss()});
}

}  // namespace pyfm
