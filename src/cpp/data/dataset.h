// Rows in compressed form, borrowed or owned, validated once. What is implied is not stored.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/fetch.h"
#include "base/types.h"
#include "data/row.h"

namespace pyfm {

// The buffers of a data set, (n_rows, n_fields, …) as the names say. Empty spans are implied:
//   indptr   empty: every row has exactly n_fields entries
//   fields   empty: entry i of a row belongs to field i; with an indptr: all belong to field 0
//   values   empty: all 1
//   y        empty: rows without targets (for prediction)
//   weight   empty: all 1
//   rows     empty: all stored rows, in their order; otherwise a selection: row i is the stored row
//            rows[i], while y and weight are those of row i
struct DatasetBuffers {
  std::span<const Index> indptr;
  std::span<const FeatureId> features;
  std::span<const FieldId> fields;
  std::span<const float> values;
  std::span<const float> y;
  std::span<const float> weight;
  std::span<const Index> rows = {};
  Index n_rows = 0;
  Index n_features = 0;  // ids are in [0, n_features)
  Index n_fields = 0;    // fields are in [0, n_fields)
  // Keep the buffers alive: `owner` those of the entries, and all that no other does.
  std::shared_ptr<const void> owner = {}, target_owner = {}, row_owner = {};
};

class Dataset {
 public:
  // Throws std::invalid_argument that names the row and what was expected there.
  explicit Dataset(DatasetBuffers buffers);

  Index n_rows() const noexcept { return b_.n_rows; }
  Index n_features() const noexcept { return b_.n_features; }
  Index n_fields() const noexcept { return b_.n_fields; }
  Index nnz() const noexcept { return nnz_; }
  // Data sets of the same id have the same rows; 0 is none's.
  std::uint64_t id() const noexcept { return id_; }
  Index max_row_nnz() const noexcept { return max_row_nnz_; }
  double mean_row_nnz() const noexcept {
    return static_cast<double>(nnz()) / static_cast<double>(std::max<Index>(n_rows(), 1));
  }
  // Of the rows in all buffers.
  Index nbytes() const noexcept;
  // "one_per_field": neither indptr nor fields are stored; otherwise "csr".
  std::string_view layout() const noexcept;
  const DatasetBuffers& buffers() const noexcept { return b_; }

  bool is_selection() const noexcept { return !b_.rows.empty(); }
  Row row(Index i) const noexcept { return is_selection() ? row<true>(i) : row<false>(i); }
  // For loops that ask once whether rows are selected.
  template <bool selected>
  [[gnu::always_inline]] Row row(Index i) const noexcept {
    const Index at = selected ? b_.rows[i] : i;
    const Index begin = b_.indptr.empty() ? at * b_.n_fields : b_.indptr[at];
    const Index end = b_.indptr.empty() ? begin + b_.n_fields : b_.indptr[at + 1];
    return {b_.features.data() + begin,
            b_.fields.empty() ? field_zero_.get() : b_.fields.data() + begin,
            b_.values.empty() ? nullptr : b_.values.data() + begin, end - begin};
  }
  // Asks for row i's data to be brought into the cache. Inlined always, see base/fetch.h.
  template <bool selected>
  [[gnu::always_inline]] void prefetch(Index i) const noexcept {
    const Row r = row<selected>(i);
    for (Index at = 0; at < r.size; at += 16) {
      fetch(r.features + at);
      if (r.values) fetch(r.values + at);
      if (r.fields && at % 32 == 0) fetch(r.fields + at);
    }
    if (r.size > 0) fetch(r.features + r.size - 1);
    if (!b_.y.empty()) fetch(&b_.y[i]);
    if (!b_.weight.empty()) fetch(&b_.weight[i]);
  }
  // To be asked for before row i's data, one after the other: where these are.
  [[gnu::always_inline]] void prefetch_selection(Index i) const noexcept { fetch(&b_.rows[i]); }
  template <bool selected>
  [[gnu::always_inline]] void prefetch_extent(Index i) const noexcept {
    if (!b_.indptr.empty()) fetch(&b_.indptr[selected ? b_.rows[i] : i]);
  }
  float y(Index i) const noexcept { return b_.y[i]; }
  float weight(Index i) const noexcept { return b_.weight.empty() ? 1.0f : b_.weight[i]; }

  // Rows [start, stop), sharing the buffers; only an indptr that no longer starts at 0 is copied.
  Dataset slice(Index start, Index stop) const;
  // The named rows, in that order: a selection, which shares the entries.
  Dataset take(std::span<const Index> rows) const;
  // The same rows, stored one after the other: copied, if they are a selection.
  Dataset packed() const;
  // The same rows with other numbers in place of the features of all that is stored; `owner` keeps
  // them alive.
  Dataset with_features(std::span<const FeatureId> features, Index n_features,
                        std::shared_ptr<const void> owner) const;
  // The same rows with other targets and weights (borrowed from `owner`); empty spans remove them.
  Dataset with_targets(std::span<const float> y, std::span<const float> weight,
                       std::shared_ptr<const void> owner) const;

 private:
  struct Trusted {};  // buffers that are already validated
  Dataset(DatasetBuffers buffers, Trusted);

  DatasetBuffers b_;
  std::uint64_t id_;
  Index nnz_ = 0, max_row_nnz_ = 0;
  // (max_row_nnz,) zeros: the fields of any row of a data set with an indptr and no fields.
  std::shared_ptr<const FieldId[]> field_zero_;
};

}  // namespace pyfm
