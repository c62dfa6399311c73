#include "train/initializer.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "train/feature_count.h"
#include "train/worker.h"

namespace pyfm {

namespace {

using Counted = std::vector<RowMap::Counted>;

// Expected occurrences per row of the data, of the features that come first.
std::vector<float> frequencies(const Counted& features, Index n_rows) {
  constexpr std::size_t most = 8192;
  std::vector<float> found;
  for (std::size_t i = 0; i < features.size() && i < most; ++i)
    found.push_back(static_cast<float>(features[i].count) / static_cast<float>(n_rows));
  return found;
}

// Initial weights of the rows from `first` on; of vectors zeros where not all fields have some.
void fill_rows(Model& model, Index first, int n_threads, const Poll& poll) {
  for_row_blocks(model.rows().n_rows() - first, n_threads, poll, [&](int, Index begin, Index end) {
    for (ModelPart& p : model.parts()) {
      const PartKernels& kernels = p.kernels();
      const PartView view = p.view();
      for (Index i = begin; i < end; ++i) {
        const auto r = static_cast<RowId>(first + i);
        if (p.part == Part::linear || !model.columns())
          kernels.init_weights(view, r, model.rows().feature(r));
        else
          std::fill_n(p.rows.data() + Index{r} * p.shape.row_bytes(), p.shape.row_bytes(), char{0});
        kernels.init_slots(view, r);
      }
    }
  });
}

// Its initial vector, where the field has one and the feature none yet.
void fill_vector(Model& model, Index field, FeatureId j) {
  const RowId r = model.rows().row(j);
  if (model.columns()[field] < 0 || r == 0 || !model.vectors().start(r)) return;
  ModelPart& factors = model.parts().back();
  factors.kernels().init_weights(factors.view(), r, j);
  factors.kernels().init_slots(factors.view(), r);
}

// Initial vectors of the features that the data hold in fields with some. A stream scores a feature
// that it knew from other fields alone with its initial vector.
void fill_vectors(Model& model, const Dataset& data, const Augmentation& a, int n_threads,
                  const Poll& poll) {
  if (!model.columns()) return;
  const std::uint64_t seed = model.spec().seed;
  for_row_blocks(data.n_rows(), n_threads, poll, [&](int, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Row row = data.row(a.bootstrap ? bootstrap_row(seed, i, data.n_rows()) : i);
      for (Index e = 0; e < row.size; ++e) fill_vector(model, row.field(e), row.features[e]);
    }
  });
}

// The same of what augments the data.
void fill_unknowns(Model& model, const Augmentation& a) {
  if (!model.columns() || a.feature_dropout <= 0) return;
  for (std::size_t f = 0; f < a.unknown.size(); ++f)
    if (a.unknown[f] >= 0)
      fill_vector(model, static_cast<Index>(f), static_cast<FeatureId>(a.unknown[f]));
}

// Those of `all`, ascending, that are not there yet.
void add_others(std::vector<FeatureId>& features, const std::vector<FeatureId>& all) {
  std::vector<FeatureId> known = features;
  std::ranges::sort(known);
  std::ranges::set_difference(all, known, std::back_inserter(features));
}

// Data, if given, fill vectors, too.
void add_filled_rows(Model& model, const Counted& features, const Dataset* data,
                     const Augmentation& a, int n_threads, const Poll& poll) {
  const Index first = model.rows().n_rows();
  std::vector<FeatureId> ids;
  ids.reserve(features.size());
  for (const RowMap::Counted& f : features) ids.push_back(f.feature);
  model.add_rows(ids);
  try {
    fill_rows(model, first, n_threads, poll);
    if (data) fill_vectors(model, *data, a, n_threads, poll);
    fill_unknowns(model, a);
  } catch (...) {
    model.truncate(first);
    throw;
  }
}

const Augmentation& or_none(const Augmentation* augmentation) {
  static const Augmentation none;
  return augmentation ? *augmentation : none;
}

void add_counted_rows(Model& model, Index n_rows, const Dataset* data, const Augmentation& a,
                      int n_threads, const Poll& poll) {
  RowMap& rows = model.rows();
  const Index first = rows.n_rows();
  Counted features;
  try {
    count_unknowns(model, a);
    features = rows.by_frequency(rows.counted(model.min_count()));
    add_filled_rows(model, features, data, a, resolve_threads(n_threads), poll);
  } catch (...) {
    rows.forget_counts();
    throw;
  }
  if (first == 1) model.hot = frequencies(features, n_rows);
  model.recount = false;
  model.initialized_for = 0;
}

}  // namespace

void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                const Augmentation* augmentation) {
  const Augmentation& a = or_none(augmentation);
  check_trainable(model, data);
  check_augmentation(a, data, model.spec().n_features, model.spec().n_fields);
  const std::uint64_t key = data.id() ^ features_key(a);
  if (model.initialized_for == key) return;
  model.rows().forget_counts();
  count_piece(model, data, 0, n_threads, poll, augmentation);
  add_counted_rows(model, data.n_rows(), &data, a, n_threads, poll);
  model.initialized_for = key;
}

void count_piece(Model& model, const Dataset& piece, Index place, int n_threads, const Poll& poll,
                 const Augmentation* augmentation) {
  const Augmentation& a = or_none(augmentation);
  check_trainable(model, piece);
  check_augmentation(a, piece, model.spec().n_features, model.spec().n_fields);
  try {
    count_features(model, piece, a, resolve_threads(n_threads), poll, place);
  } catch (...) {
    model.rows().forget_counts();
    throw;
  }
}

void initialize_counted(Model& model, Index n_rows, int n_threads, const Poll& poll,
                        const Augmentation* augmentation) {
  add_counted_rows(model, n_rows, nullptr, or_none(augmentation), n_threads, poll);
}

void initialize_vectors(Model& model, const Dataset& piece, int n_threads, const Poll& poll) {
  fill_vectors(model, piece, {}, resolve_threads(n_threads), poll);
}

Counted admit(Model& model, const Dataset& data, bool in_order, int n_threads, const Poll& poll) {
  RowMap& rows = model.rows();
  const Index first = rows.n_rows();
  std::vector<FeatureId> enough = count_features(model, data, {}, in_order ? 1 : n_threads, poll);
  Counted features;
  try {
    if (in_order) {
      if (model.recount) add_others(enough, rows.counted(model.min_count()));
      for (const FeatureId j : enough) features.push_back({j, rows.count_of(j)});
    } else {
      if (model.recount || static_cast<Index>(enough.size()) > rows.n_features() / 16)
        enough = rows.counted(model.min_count());
      else
        std::ranges::sort(enough);
      features = rows.by_frequency(enough);
    }
    add_filled_rows(model, features, &data, {}, n_threads, poll);
  } catch (...) {
    for (const RowMap::Counted& f : features) rows.set_count(f.feature, f.count);
    uncount_features(model, data);
    throw;
  }
  if (first == 1 && !in_order) model.hot = frequencies(features, data.n_rows());
  model.recount = false;
  model.initialized_for = data.id();
  return features;
}

}  // namespace pyfm
