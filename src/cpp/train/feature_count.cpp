#include "train/feature_count.h"

#include <algorithm>
#include <utility>

#include "train/worker.h"

namespace pyfm {

namespace {

// f(feature), once for each feature of the row.
template <class F>
void for_distinct(const Row& row, std::vector<FeatureId>& sorted, F&& f) {
  constexpr Index few = 64;  // comparing all pairs is faster than sorting
  if (row.size > few) {
    sorted.assign(row.features, row.features + row.size);
    std::ranges::sort(sorted);
    sorted.erase(std::ranges::unique(sorted).begin(), sorted.end());
    for (const FeatureId j : sorted) f(j);
    return;
  }
  for (Index e = 0; e < row.size; ++e)
    if (std::find(row.features, row.features + e, row.features[e]) == row.features + e)
      f(row.features[e]);
}

struct alignas(kApart) Tally {
  std::vector<FeatureId> enough;
  std::vector<std::pair<Index, Index>> done;  // rows [begin, end)
  std::vector<FeatureId> sorted;
  Index n_new = 0;
};

void uncount(RowMap& rows, const Dataset& data, bool distinct, Index begin, Index end) {
  std::vector<FeatureId> sorted;
  const auto uncount_one = [&](FeatureId j) {
    if (const std::uint32_t count = rows.count_of(j)) rows.set_count(j, count - 1);
  };
  for (Index i = begin; i < end; ++i) {
    const Row row = data.row(i);
    if (distinct)
      for_distinct(row, sorted, uncount_one);
    else
      std::for_each_n(row.features, row.size, uncount_one);
  }
}

}  // namespace

std::vector<FeatureId> count_features(Model& model, const Dataset& data, const Augmentation& a,
                                      int n_threads, const Poll& poll, Index first) {
  RowMap& rows = model.rows();
  const std::uint64_t seed = model.spec().seed;
  const Augmenter augmenter(a, seed, 0);
  const bool has_unknowns = a.feature_dropout > 0 && !a.unknown.empty();
  const std::uint32_t least = model.min_count();
  std::vector<Tally> tallies(static_cast<std::size_t>(n_threads));
  const auto add_counted = [&] {
    for (const Tally& tally : tallies) rows.add_counted(tally.n_new);
  };
  try {
    for_row_blocks(data.n_rows(), n_threads, poll, [&](int thread, Index begin, Index end) {
      Tally& tally = tallies[static_cast<std::size_t>(thread)];
      const auto count = [&](FeatureId j) {
        const std::uint32_t count = rows.count(j);
        tally.n_new += count == 1;
        if (count == least) tally.enough.push_back(j);
      };
      for (Index i = begin; i < end; ++i) {
        const Row row = data.row(a.bootstrap ? bootstrap_row(seed, i, data.n_rows()) : i);
        if (least > 1)
          for_distinct(row, tally.sorted, count);
        else
          std::for_each_n(row.features, row.size, count);
        for (Index e = 0; has_unknowns && e < row.size; ++e)
          if (const Index j = augmenter.replacement(first + i, e, row.field(e)).value_or(-1);
              j >= 0)
            count(static_cast<FeatureId>(j));
      }
      tally.done.emplace_back(begin, end);
    });
  } catch (...) {
    add_counted();
    for (const Tally& tally : tallies)
      for (const auto& [begin, end] : tally.done) uncount(rows, data, least > 1, begin, end);
    throw;
  }
  add_counted();
  std::vector<FeatureId> enough = std::move(tallies[0].enough);
  for (std::size_t i = 1; i < tallies.size(); ++i)
    enough.insert(enough.end(), tallies[i].enough.begin(), tallies[i].enough.end());
  return enough;
}

void count_unknowns(Model& model, const Augmentation& a) {
  if (a.feature_dropout == 0) return;
  RowMap& rows = model.rows();
  const std::uint32_t least = model.min_count();
  for (const Index j : a.unknown)
    if (const auto id = static_cast<FeatureId>(j);
        j >= 0 && rows.row(id) == 0 && rows.count_of(id) < least)
      rows.set_count(id, least);
}

void uncount_features(Model& model, const Dataset& data) {
  uncount(model.rows(), data, model.min_count() > 1, 0, data.n_rows());
}

}  // namespace pyfm
