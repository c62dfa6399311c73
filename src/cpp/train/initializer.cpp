#include "train/initializer.h"

#include "base/bits.h"

namespace pyfm {

namespace {

void meet_feature(Model& model, const Worker& worker, FeatureId j) {
  model.meet(j, [&] {
    for (const PartWorker& p : worker.parts) p.kernels->init_row(p.view, j);
  });
}

void mark(Bits& bits, FeatureId j) {
  std::atomic_ref<std::uint64_t> word(bits.word(j));
  if (!(word.load(std::memory_order_relaxed) & Bits::mask(j)))
    word.fetch_or(Bits::mask(j), std::memory_order_relaxed);
}

}  // namespace

void meet(Model& model, const Worker& worker, const Row& row) {
  for (Index i = 0; i < row.size; ++i) meet_feature(model, worker, row.features[i]);
}

void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll) {
  check_trainable(model, data);
  std::vector<Worker> workers = make_workers(model, data, n_threads);
  Bits found(data.n_features());
  for_row_blocks(data.n_rows(), workers, poll, [&](const Worker&, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Row row = data.row(i);
      for (Index e = 0; e < row.size; ++e) mark(found, row.features[e]);
    }
  });
  for_row_blocks(data.n_features(), workers, poll, [&](const Worker& w, Index begin, Index end) {
    for (Index j = begin; j < end; ++j)
      if (found.word(j) & Bits::mask(j)) meet_feature(model, w, static_cast<FeatureId>(j));
  });
}

}  // namespace pyfm
