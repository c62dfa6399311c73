#include "train/feature_count.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <span>

#include "base/team.h"
#include "train/worker.h"

namespace pyfm {

namespace {

// Rows are read in blocks, and what they hold is counted in shares of the features; both are pieces
// of work, one thread's at a time. So no two threads write to one count, nor, since neighbours are
// of one share, to one cache line, and the counts of a share stay in one processor's caches.
class FeatureShares {
 public:
  explicit FeatureShares(std::size_t n_threads)
      : bits_(n_threads == 1 ? 0
                             : std::countr_zero(std::min(std::bit_ceil(4 * n_threads), kMost))) {}
  std::size_t size() const noexcept { return std::size_t{1} << bits_; }
  std::size_t of(FeatureId j) const noexcept {
    constexpr FeatureId neighbours = 16;
    return std::uint64_t{std::uint32_t{j / neighbours * 0x9e3779b1u}} >> (32 - bits_);
  }

 private:
  static constexpr std::size_t kMost = 64;
  int bits_;
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

  // Adds the features of the i-th row.
  void add(Index i, std::vector<FeatureId>& features) const {
    const Row row = data_.row(bootstrap_ ? bootstrap_row(seed_, i, data_.n_rows()) : i);
    const std::size_t begin = features.size();
    features.insert(features.end(), row.features, row.features + row.size);
    if (distinct_) make_unique(features, begin);
    for (Index e = 0; has_unknowns_ && e < row.size; ++e)
      if (const Index j = augmenter_.replacement(first_ + i, e, row.field(e)).value_or(-1); j >= 0)
        features.push_back(static_cast<FeatureId>(j));
  }

 private:
  const Dataset& data_;
  std::uint64_t seed_;
  Index first_;
  Augmenter augmenter_;
  bool bootstrap_, has_unknowns_, distinct_;
};

// f(feature) for each, in turn, while those to come are fetched from the map.
template <class F>
void for_each_fetched(const RowMap& rows, const std::vector<FeatureId>& features, F&& f) {
  constexpr std::size_t ahead = 128;
  for (std::size_t i = 0; i < features.size(); ++i) {
    rows.fetch(features[std::min(i + ahead, features.size() - 1)]);
    f(features[i]);
  }
}

// The features of a block that are of one share, to be counted.
struct alignas(kApart) Listed {
  std::vector<FeatureId> features;
  Index n_new = 0;

  // Those that reach the least count are left of them.
  void count(RowMap& rows, std::uint32_t least) noexcept {
    FeatureId* enough = features.data();
    n_new = 0;
    for_each_fetched(rows, features, [&](FeatureId j) {
      const std::uint32_t count = rows.count(j);
      n_new += count == 1;
      *enough = j;
      enough += count == least;
    });
    features.resize(static_cast<std::size_t>(enough - features.data()));
  }
};

// Rows in a block: so few that those at hand take little memory, however long they are.
Index rows_in_block(const Dataset& data) {
  constexpr double most_entries = 16384;
  return std::clamp<Index>(static_cast<Index>(most_entries / (data.mean_row_nnz() + 1)), 1, 256);
}

// Counts some blocks at a time: lists what they hold, block by block, and counts it share by share.
class FeatureCounter {
 public:
  // `block`: rows; `n_blocks`: that there are.
  FeatureCounter(Model& model, const CountedRows& counted, Index block, Index n_blocks, Team& team)
      : rows_(model.rows()),
        least_(model.min_count()),
        counted_(counted),
        team_(team),
        shares_(static_cast<std::size_t>(team.size())),
        block_(block),
        most_blocks_(std::min({n_blocks, Index{16} * team.size(), Index{256}})),
        features_(static_cast<std::size_t>(team.size())),
        lists_(static_cast<std::size_t>(most_blocks_) * shares_.size()) {}

  // That are counted at a time.
  Index most_rows() const noexcept { return most_blocks_ * block_; }

  // Rows [begin, end). Adds the features that reach the least count to `enough`.
  void count(Index begin, Index end, Index& n_done, std::vector<FeatureId>& enough) {
    const Index n = (end - begin + block_ - 1) / block_;
    team_.pieces(n, [&](int thread, Index b) {
      const Index first = begin + b * block_;
      list(first, std::min(first + block_, end), features_[static_cast<std::size_t>(thread)],
           lists_of(b));
    });
    team_.pieces(static_cast<Index>(shares_.size()), [&](int, Index share) {
      for (Index b = 0; b < n; ++b)
        lists_of(b)[static_cast<std::size_t>(share)].count(rows_, least_);
    });
    const auto counted = std::span(lists_).first(static_cast<std::size_t>(n) * shares_.size());
    for (const Listed& listed : counted) rows_.add_counted(listed.n_new);
    n_done = end;
    for (const Listed& listed : counted)
      enough.insert(enough.end(), listed.features.begin(), listed.features.end());
  }

 private:
  std::span<Listed> lists_of(Index b) noexcept {
    return {lists_.data() + static_cast<std::size_t>(b) * shares_.size(), shares_.size()};
  }

  void list(Index begin, Index end, std::vector<FeatureId>& features, std::span<Listed> lists) {
    for (Listed& listed : lists) listed.features.clear();
    if (lists.size() == 1) {
      for (Index i = begin; i < end; ++i) counted_.add(i, lists.front().features);
      return;
    }
    features.clear();
    for (Index i = begin; i < end; ++i) counted_.add(i, features);
    const auto list = [&](FeatureId j) { lists[shares_.of(j)].features.push_back(j); };
    if (rows_.n_rows() == 1)
      std::ranges::for_each(features, list);
    else  // most features have rows, as a rule, and nothing is to be done
      for_each_fetched(rows_, features, [&](FeatureId j) {
        if (rows_.row(j) == 0) list(j);
      });
  }

  RowMap& rows_;
  std::uint32_t least_;
  const CountedRows& counted_;
  Team& team_;
  FeatureShares shares_;
  Index block_, most_blocks_;
  std::vector<std::vector<FeatureId>> features_;  // of a block, for each thread
  std::vector<Listed> lists_;                     // (blocks, shares)
};

// Takes back what was counted in the first rows of the data.
void uncount(RowMap& rows, const Dataset& data, Index n_rows, bool distinct) {
  std::vector<FeatureId> features;
  for (Index i = 0; i < n_rows; ++i) {
    const Row row = data.row(i);
    features.assign(row.features, row.features + row.size);
    if (distinct) make_unique(features, 0);
    for (const FeatureId j : features)
      if (const std::uint32_t count = rows.count_of(j)) rows.set_count(j, count - 1);
  }
}

}  // namespace

std::vector<FeatureId> count_features(Model& model, const Dataset& data,
                                      const Augmentation& augmentation, int n_threads,
                                      const Poll& poll, Index first) {
  const CountedRows counted(model, data, augmentation, first);
  const Index block = rows_in_block(data), n_blocks = (data.n_rows() + block - 1) / block;
  std::vector<FeatureId> enough;
  Index n_done = 0;
  try {
    Team::run(static_cast<int>(std::min<Index>(n_threads, n_blocks)), [&](Team& team) {
      FeatureCounter counter(model, counted, block, n_blocks, team);
      for_row_blocks(data.n_rows(), counter.most_rows(), 1, poll, [&](int, Index begin, Index end) {
        counter.count(begin, end, n_done, enough);
      });
    });
  } catch (...) {
    uncount(model.rows(), data, n_done, model.min_count() > 1);
    throw;
  }
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
  uncount(model.rows(), data, data.n_rows(), model.min_count() > 1);
}

}  // namespace pyfm
