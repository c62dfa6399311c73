#include "train/predictor.h"

#include "train/worker.h"

namespace pyfm {

namespace {

constexpr Index kAhead = 2;

template <class T, class F>
void score_rows(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                std::span<T> out, F&& finish) {
  std::vector<Worker> workers = make_workers(model, data, n_threads);
  for_row_blocks(data.n_rows(), workers, poll, [&](Worker& worker, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const bool ahead = i + kAhead < end;
      const Row next = data.row(ahead ? i + kAhead : i);
      const Row* fetch = ahead && worker.filter.all_known ? &next : nullptr;
      out[static_cast<std::size_t>(i)] = finish(worker.score(data.row(i), fetch));
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
