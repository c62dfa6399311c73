#include "train/predictor.h"

#include "train/worker.h"

namespace pyfm {

namespace {

template <class T, class F>
void score_rows(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                std::span<T> out, F&& finish) {
  constexpr Index ahead = Worker::kAhead;
  std::vector<Worker> workers = make_workers(model, data, n_threads, Purpose::predict);
  const auto n = static_cast<int>(workers.size());
  for_row_blocks(data.n_rows(), n, poll, [&](int thread, Index begin, Index end) {
    Worker& worker = workers[static_cast<std::size_t>(thread)];
    for (Index i = begin - ahead; i < end; ++i) {
      if (i + Worker::kLookUpAhead < end) worker.prefetch(data.row(i + Worker::kLookUpAhead));
      const bool more = i + ahead < end;
      const Entries* next = more ? &worker.prepare(i + ahead, data.row(i + ahead)) : nullptr;
      if (i < begin) continue;
      out[static_cast<std::size_t>(i)] = finish(worker.score(worker.prepared(i), next));
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
