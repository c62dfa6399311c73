#include "train/initializer.h"

#include <utility>
#include <vector>

#include "train/worker.h"

namespace pyfm {

namespace {

using Counted = std::vector<RowMap::Counted>;

// Those that training will meet. Unknowns are counted as often as they will occur in an epoch.
Counted new_features(RowMap& rows, const Dataset& data, std::uint64_t seed, const Augmentation& a,
                     int n_threads, const Poll& poll) {
  const Index n = data.n_rows();
  const Augmenter augmenter(a, seed, 0);
  const bool has_unknowns = a.feature_dropout > 0 && !a.unknown.empty();
  try {
    for_row_blocks(n, n_threads, poll, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Row row = data.row(a.bootstrap ? bootstrap_row(seed, i, n) : i);
        for (Index e = 0; e < row.size; ++e) rows.count(row.features[e]);
        for (Index e = 0; has_unknowns && e < row.size; ++e)
          if (const Index j = augmenter.replacement(i, e, row.field(e)).value_or(-1); j >= 0)
            rows.count(static_cast<FeatureId>(j));
      }
    });
    if (has_unknowns)  // in later epochs
      for (const Index j : a.unknown)
        if (j >= 0) rows.count(static_cast<FeatureId>(j));
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

void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                const Augmentation* augmentation) {
  static const Augmentation none;
  const Augmentation& a = augmentation ? *augmentation : none;
  check_trainable(model, data);
  check_augmentation(a, data, model.spec().n_features, model.spec().n_fields);
  const std::uint64_t features = data.id() ^ features_key(a);
  if (model.initialized_for == features) return;
  const int n = resolve_threads(n_threads);
  const Index first = model.rows().n_rows();
  const Counted counted = new_features(model.rows(), data, model.spec().seed, a, n, poll);
  add_rows(model, counted);
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
  if (first == 1) model.hot = frequencies(counted, data.n_rows());
  model.initialized_for = features;
}

}  // namespace pyfm
