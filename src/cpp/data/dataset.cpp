#include "data/dataset.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/array.h"
#include "base/unique_id.h"
#include "data/validate.h"

namespace pyfm {

namespace {

// Copies; they live as long as some data set refers to them.
struct Owned {
  Array<Index> indptr, rows;
  Array<FeatureId> features;
  Array<FieldId> fields;
  Array<float> values, y, weight;
  std::shared_ptr<const void> shared;  // buffers that were not copied
};

template <class T>
std::span<const T> part(std::span<const T> whole, Index begin, Index size) {
  if (whole.empty()) return {};
  return whole.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
}

DatasetBuffers validated(DatasetBuffers buffers) {
  validate(buffers);
  return buffers;
}

}  // namespace

Dataset::Dataset(DatasetBuffers buffers) : Dataset(validated(std::move(buffers)), Trusted{}) {}

Dataset::Dataset(DatasetBuffers buffers, Trusted) : b_(std::move(buffers)), id_(unique_id()) {
  if (b_.indptr.empty()) {
    nnz_ = b_.n_rows * b_.n_fields;
    max_row_nnz_ = b_.n_fields;
    return;
  }
  for (Index i = 0; i < b_.n_rows; ++i) {
    const Index size = row(i).size;
    nnz_ += size;
    max_row_nnz_ = std::max(max_row_nnz_, size);
  }
  if (b_.fields.empty())
    field_zero_ = std::make_shared<FieldId[]>(static_cast<std::size_t>(max_row_nnz_));
}

Index Dataset::nbytes() const noexcept {
  const Index entry = sizeof(FeatureId) + (b_.fields.empty() ? 0 : sizeof(FieldId)) +
                      (b_.values.empty() ? 0 : sizeof(float));
  const std::span<const Index> numbers = is_selection() ? b_.rows : b_.indptr;
  return nnz_ * entry +
         static_cast<Index>(numbers.size_bytes() + b_.y.size_bytes() + b_.weight.size_bytes());
}

std::string_view Dataset::layout() const noexcept {
  return b_.indptr.empty() && b_.fields.empty() ? "one_per_field" : "csr";
}

Dataset Dataset::slice(Index start, Index stop) const {
  if (start < 0 || stop < start || stop > n_rows())
    throw std::invalid_argument(
        "slice: expected 0 <= start <= stop <= " + std::to_string(n_rows()) + ", found " +
        std::to_string(start) + " and " + std::to_string(stop));
  const Index rows = stop - start;
  if (is_selection() && rows > 0) {
    DatasetBuffers out = b_;
    out.n_rows = rows;
    out.rows = part(b_.rows, start, rows);
    out.y = part(b_.y, start, rows);
    out.weight = part(b_.weight, start, rows);
    return Dataset(std::move(out), Trusted{});
  }
  if (rows == 0) start = stop = 0;  // a selection may have more rows than are stored
  const Index begin = b_.indptr.empty() ? start * b_.n_fields : b_.indptr[start];
  const Index nnz = (b_.indptr.empty() ? stop * b_.n_fields : b_.indptr[stop]) - begin;
  DatasetBuffers out = b_;
  out.n_rows = rows;
  out.features = part(b_.features, begin, nnz);
  out.fields = part(b_.fields, begin, nnz);
  out.values = part(b_.values, begin, nnz);
  out.y = part(b_.y, start, rows);
  out.weight = part(b_.weight, start, rows);
  out.indptr = part(b_.indptr, start, rows + 1);
  out.rows = {};
  if (!out.indptr.empty() && begin != 0) {
    auto owned = std::make_shared<Owned>();
    owned->indptr = Array<Index>(rows + 1);
    for (Index i = 0; i <= rows; ++i) owned->indptr[i] = out.indptr[i] - begin;
    owned->shared = b_.owner;
    out.indptr = owned->indptr.view();
    out.owner = std::move(owned);
  }
  return Dataset(std::move(out), Trusted{});
}

Dataset Dataset::take(std::span<const Index> rows) const {
  const Index n = static_cast<Index>(rows.size());
  for (const Index i : rows)
    if (i < 0 || i >= n_rows())
      throw std::invalid_argument("take: expected rows in [0, " + std::to_string(n_rows()) +
                                  "), found " + std::to_string(i));
  if (n == 0) return slice(0, 0);
  auto owned = std::make_shared<Owned>();
  owned->rows = Array<Index>(n);
  if (!b_.y.empty()) owned->y = Array<float>(n);
  if (!b_.weight.empty()) owned->weight = Array<float>(n);
  for (Index i = 0; i < n; ++i) {
    owned->rows[i] = is_selection() ? b_.rows[rows[i]] : rows[i];
    if (!b_.y.empty()) owned->y[i] = b_.y[rows[i]];
    if (!b_.weight.empty()) owned->weight[i] = b_.weight[rows[i]];
  }
  DatasetBuffers out = b_;
  out.n_rows = n;
  out.rows = owned->rows.view();
  out.y = owned->y.view();
  out.weight = owned->weight.view();
  out.target_owner = out.row_owner = std::move(owned);
  return Dataset(std::move(out), Trusted{});
}

Dataset Dataset::packed() const {
  if (!is_selection()) return *this;
  auto owned = std::make_shared<Owned>();
  if (!b_.indptr.empty()) owned->indptr = Array<Index>(n_rows() + 1);
  if (!b_.fields.empty()) owned->fields = Array<FieldId>(nnz_);
  if (!b_.values.empty()) owned->values = Array<float>(nnz_);
  owned->features = Array<FeatureId>(nnz_);
  Index end = 0;
  for (Index i = 0; i < n_rows(); ++i) {
    const Row from = row(i);
    std::copy_n(from.features, from.size, owned->features.data() + end);
    if (!b_.fields.empty()) std::copy_n(from.fields, from.size, owned->fields.data() + end);
    if (!b_.values.empty()) std::copy_n(from.values, from.size, owned->values.data() + end);
    end += from.size;
    if (!b_.indptr.empty()) owned->indptr[i + 1] = end;
  }
  DatasetBuffers out = b_;
  out.indptr = owned->indptr.view();
  out.features = owned->features.view();
  out.fields = owned->fields.view();
  out.values = owned->values.view();
  out.rows = {};
  out.row_owner = {};
  out.owner = std::move(owned);
  return Dataset(std::move(out), Trusted{});
}

Dataset Dataset::with_features(std::span<const FeatureId> features, Index n_features,
                               std::shared_ptr<const void> owner) const {
  DatasetBuffers out = b_;
  out.features = features;
  out.n_features = n_features;
  out.owner = std::make_shared<std::array<std::shared_ptr<const void>, 2>>(
      std::array{b_.owner, std::move(owner)});
  return Dataset(std::move(out), Trusted{});
}

Dataset Dataset::with_targets(std::span<const float> y, std::span<const float> weight,
                              std::shared_ptr<const void> owner) const {
  validate_targets(y, weight, n_rows());
  DatasetBuffers out = b_;
  out.y = y;
  out.weight = weight;
  out.target_owner = std::move(owner);
  return Dataset(std::move(out), Trusted{});
}

}  // namespace pyfm
