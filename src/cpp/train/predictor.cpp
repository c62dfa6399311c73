#include "train/predictor.h"

#include "train/worker.h"

namespace pyfm {

namespace {

template <class T, class F>
void score_rows(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                std::span<T> out, F&& finish) {
  constexpr Index ahead = Worker::kAhead + 2;
  std::vector<Worker> workers = make_workers(model, data, n_threads, Purpose::predict);
  const auto n = static_cast<int>(workers.size());
  for_row_blocks(data.n_rows(), n, poll, [&](int thread, Index begin, Index end) {
    Worker& worker = workers[static_cast<std::size_t>(thread)];
    const auto prepare = [&](Index i) {
      worker.prepare(i, end - begin, [&](Index r) { return data.row(begin + r); });
    };
    for (Index i = 0; i < ahead; ++i) prepare(i);
    for (Index i = 0; i < end - begin; ++i) {
      out[static_cast<std::size_t>(begin + i)] = finish(worker.score(i));
      prepare(i + ahead);
    }
  });
}

}  // namespace

void decision_function(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                       std::span<float> scores) {
  score_rows(model, data, n_threads, poll, scores, [](float score) { return score; });
}

void predict(Model& model, const Dataset& data, int n_threads, const Poll& poll,
             std::span<double> predictions) {
  score_rows(model, data, n_threads, poll, predictions, model.loss().inverse_link);
}

}  // namespace pyfm
