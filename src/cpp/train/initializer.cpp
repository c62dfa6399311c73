#include "train/initializer.h"

#include <atomic>
#include <vector>

#include "base/bits.h"
#include "train/frequent.h"
#include "train/worker.h"

namespace pyfm {

namespace {

void mark(Bits& bits, FeatureId j) {
  std::atomic_ref<std::uint64_t> word(bits.word(j));
  if (!(word.load(std::memory_order_relaxed) & Bits::mask(j)))
    word.fetch_or(Bits::mask(j), std::memory_order_relaxed);
}

Bits features_of(const Dataset& data, int n_threads, const Poll& poll) {
  Bits found(data.n_features());
  for_row_blocks(data.n_rows(), n_threads, poll, [&](int, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Row row = data.row(i);
      for (Index e = 0; e < row.size; ++e) mark(found, row.features[e]);
    }
  });
  return found;
}

// Frequent ones first.
std::vector<FeatureId> without_row(const RowMap& rows, Bits& found,
                                   const std::vector<Frequency>& frequent) {
  std::vector<FeatureId> features;
  features.reserve(static_cast<std::size_t>(found.count()));
  for (const Frequency& f : frequent) {
    features.push_back(f.feature);
    found.word(f.feature) &= ~Bits::mask(f.feature);
  }
  found.for_each([&](Index j) {
    const auto feature = static_cast<FeatureId>(j);
    if (rows.row(feature) == 0) features.push_back(feature);
  });
  return features;
}

}  // namespace

void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll) {
  check_trainable(model, data);
  if (model.initialized_for == data.id()) return;
  const int n = resolve_threads(n_threads);
  const Index first = model.rows().n_rows();
  std::vector<Frequency> frequent;
  if (first == 1) frequent = frequent_features(data);
  Bits found = features_of(data, n, poll);
  model.add_rows(without_row(model.rows(), found, frequent));
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
  if (first == 1) {
    model.hot.clear();
    for (const Frequency& f : frequent) model.hot.push_back(f.per_row);
  }
  model.initialized_for = data.id();
}

}  // namespace pyfm
