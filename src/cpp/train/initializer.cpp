#include "train/initializer.h"

#include <utility>
#include <vector>

#include "train/worker.h"

namespace pyfm {

namespace {

using Counted = std::vector<RowMap::Counted>;

Counted new_features(RowMap& rows, const Dataset& data, int n_threads, const Poll& poll) {
  try {
    for_row_blocks(data.n_rows(), n_threads, poll, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Row row = data.row(i);
        for (Index e = 0; e < row.size; ++e) rows.count(row.features[e]);
      }
    });
  } catch (...) {
    rows.take_counted();
    throw;
  }
  return rows.take_counted();
}

void add_rows(Model& model, const Counted& features) {
  std::vector<FeatureId> ids;
  ids.reserve(features.size());
  for (const RowMap::Counted& f : features) ids.push_back(f.feature);
  model.add_rows(ids);
}

// Expected occurrences per row of the data, of the features that come first.
std::vector<float> frequencies(const Counted& features, Index n_rows) {
  constexpr std::size_t most = 8192;
  std::vector<float> found;
  for (std::size_t i = 0; i < features.size() && i < most; ++i)
    found.push_back(static_cast<float>(features[i].count) / static_cast<float>(n_rows));
  return found;
}

}  // namespace

void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll) {
  check_trainable(model, data);
  if (model.initialized_for == data.id()) return;
  const int n = resolve_threads(n_threads);
  const Index first = model.rows().n_rows();
  const Counted features = new_features(model.rows(), data, n, poll);
  add_rows(model, features);
  try {
    for_row_blocks(model.rows().n_rows() - first, n, poll, [&](int, Index begin, Index end) {
      for (ModelPart& p : model.parts())
        for (Index i = begin; i < end; ++i) {
          const auto r = static_cast<RowId>(first + i);
          p.kernels().init_weights(p.view(), r, model.rows().feature(r));
          p.kernels().init_slots(p.view(), r);
        }
    });
  } catch (...) {
    model.truncate(first);
    throw;
  }
  if (first == 1) model.hot = frequencies(features, data.n_rows());
  model.initialized_for = data.id();
}

}  // namespace pyfm
