#include "train/feature_count.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include "train/worker.h"

namespace pyfm {

namespace {

// Every thread counts features of its own, in all rows: whatever several threads write, frequent
// features most of all, would be handed from processor to processor. Neighbours share a cache line
// and a thread.
class FeatureShares {
 public:
  explicit FeatureShares(int n) : n_(static_cast<std::uint64_t>(n)) {}
  std::size_t of(FeatureId j) const noexcept {
    constexpr FeatureId neighbours = 16;
    return static_cast<std::uint32_t>(j / neighbours * 0x9e3779b1u) * n_ >> 32;
  }

 private:
  std::uint64_t n_;
};

// Leaves each feature once, of many in ascending order.
void make_unique(std::vector<FeatureId>& features, std::size_t begin) {
  constexpr std::size_t few = 64;  // comparing all pairs is faster than sorting
  const auto first = features.begin() + static_cast<std::ptrdiff_t>(begin);
  // As a rule they ascend, field by field.
  if (std::adjacent_find(first, features.end(), std::greater_equal{}) == features.end()) return;
  auto end = first;
  if (features.size() - begin > few) {
    std::sort(first, features.end());
    end = std::unique(first, features.end());
  } else {
    for (auto j = first; j != features.end(); ++j)
      if (std::find(first, end, *j) == end) *end++ = *j;
  }
  features.erase(end, features.end());
}

// What one thread counts.
struct alignas(kApart) Tally {
  std::vector<FeatureId> features;  // of the rows at hand
  std::vector<FeatureId> enough;
  Index n_new = 0;
  Index n_done = 0;  // rows, from the first on
};

// The rows that are counted, and what augments them in their first epoch.
class CountedRows {
 public:
  // `first`: the place of the first of these rows in the epoch.
  CountedRows(const Model& model, const Dataset& data, const Augmentation& a, Index first)
      : data_(data),
        seed_(model.spec().seed),
        first_(first),
        augmenter_(a, seed_, 0),
        bootstrap_(a.bootstrap),
        has_unknowns_(a.feature_dropout > 0 && !a.unknown.empty()),
        distinct_(model.min_count() > 1) {}

  // Adds the features of the i-th row for which mine(feature) is true.
  template <class F>
  void add(Index i, std::vector<FeatureId>& features, const F& mine) const {
    const Row row = data_.row(bootstrap_ ? bootstrap_row(seed_, i, data_.n_rows()) : i);
    const std::size_t begin = features.size();
    std::size_t n = begin;
    features.resize(n + static_cast<std::size_t>(row.size));
    for (Index e = 0; e < row.size; ++e) {
      features[n] = row.features[e];
      n += mine(row.features[e]);
    }
    features.resize(n);
    if (distinct_) make_unique(features, begin);
    for (Index e = 0; has_unknowns_ && e < row.size; ++e)
      if (const Index j = augmenter_.replacement(first_ + i, e, row.field(e)).value_or(-1);
          j >= 0 && mine(static_cast<FeatureId>(j)))
        features.push_back(static_cast<FeatureId>(j));
  }

 private:
  const Dataset& data_;
  std::uint64_t seed_;
  Index first_;
  Augmenter augmenter_;
  bool bootstrap_, has_unknowns_, distinct_;
};

// Counts the features at hand; those that reach the least count are left of them.
void count_all(RowMap& rows, std::uint32_t least, Tally& tally) {
  constexpr std::size_t ahead = 32;
  std::vector<FeatureId>& features = tally.features;
  Index n_new = 0;
  std::size_t n = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    rows.fetch(features[std::min(i + ahead, features.size() - 1)]);
    const std::uint32_t count = rows.count(features[i]);
    n_new += count == 1;
    features[n] = features[i];
    n += count == least;
  }
  features.resize(n);
  tally.n_new += n_new;
}

// Takes back what was counted in the first rows of the data: counted(row, feature).
template <class F>
void uncount(RowMap& rows, const Dataset& data, Index n_rows, bool distinct, const F& counted) {
  std::vector<FeatureId> features;
  for (Index i = 0; i < n_rows; ++i) {
    const Row row = data.row(i);
    features.assign(row.features, row.features + row.size);
    if (distinct) make_unique(features, 0);
    for (const FeatureId j : features)
      if (const std::uint32_t count = rows.count_of(j); count > 0 && counted(i, j))
        rows.set_count(j, count - 1);
  }
}

}  // namespace

std::vector<FeatureId> count_features(Model& model, const Dataset& data,
                                      const Augmentation& augmentation, int n_threads,
                                      const Poll& poll, Index first) {
  constexpr Index block = 128;
  if (data.n_rows() <= block) n_threads = 1;
  RowMap& rows = model.rows();
  const CountedRows counted(model, data, augmentation, first);
  const std::uint32_t least = model.min_count();
  const FeatureShares shares(n_threads);
  std::vector<Tally> tallies(static_cast<std::size_t>(n_threads));
  std::atomic<bool> stop{false};
  const auto count_share = [&](int thread, const auto& mine) {
    Tally& tally = tallies[static_cast<std::size_t>(thread)];
    const auto count_block = [&](int, Index begin, Index end) {
      if (stop) return;
      tally.features.clear();
      for (Index i = begin; i < end; ++i) counted.add(i, tally.features, mine);
      count_all(rows, least, tally);
      tally.n_done = end;
      tally.enough.insert(tally.enough.end(), tally.features.begin(), tally.features.end());
    };
    try {
      for_row_blocks(data.n_rows(), block, 1, thread == 0 ? poll : Poll{}, count_block);
    } catch (...) {
      stop = true;
      throw;
    }
  };
  const auto add_counted = [&] {
    for (const Tally& tally : tallies) rows.add_counted(tally.n_new);
  };
  try {
    if (n_threads == 1)
      count_share(0, [](FeatureId) { return true; });
    else
      parallel(n_threads, [&](int thread) {
        const auto share = static_cast<std::size_t>(thread);
        count_share(thread, [&, share](FeatureId j) { return shares.of(j) == share; });
      });
  } catch (...) {
    add_counted();
    uncount(rows, data, std::ranges::max_element(tallies, {}, &Tally::n_done)->n_done, least > 1,
            [&](Index i, FeatureId j) { return i < tallies[shares.of(j)].n_done; });
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
  uncount(model.rows(), data, data.n_rows(), model.min_count() > 1,
          [](Index, FeatureId) { return true; });
}

}  // namespace pyfm
