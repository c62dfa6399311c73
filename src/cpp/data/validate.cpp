#include "data/validate.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace pyfm {

namespace {

[[noreturn]] void fail(const std::string& message) {
  throw std::invalid_argument(message);
}

std::string number(float x) {
  return std::isnan(x) ? "NaN" : std::to_string(x);
}

std::string interval(Index size) {
  return "[0, " + std::to_string(size) + ")";
}

void check_limit(const char* name, Index n, Index limit) {
  if (n < 0 || n > limit)
    fail(std::string(name) + ": expected a number in [0, " + std::to_string(limit) + "], found " +
         std::to_string(n));
}

void check_length(const char* name, Index found, Index expected, const char* unit) {
  if (found != expected)
    fail(std::string(name) + ": expected length " + std::to_string(expected) + " (" + unit +
         "), found " + std::to_string(found));
}

void check_indptr(const DatasetBuffers& b, Index nnz) {
  check_length("indptr", static_cast<Index>(b.indptr.size()), b.n_rows + 1, "rows + 1");
  if (b.indptr[0] != 0)
    fail("indptr: expected to start at 0, found " + std::to_string(b.indptr[0]));
  for (Index i = 0; i < b.n_rows; ++i)
    if (b.indptr[i + 1] < b.indptr[i])
      fail("indptr: expected non-decreasing offsets, row " + std::to_string(i) + " goes from " +
           std::to_string(b.indptr[i]) + " to " + std::to_string(b.indptr[i + 1]));
  if (b.indptr[b.n_rows] != nnz)
    fail("indptr: expected to end at " + std::to_string(nnz) + " (the number of indices), found " +
         std::to_string(b.indptr[b.n_rows]));
}

Index row_of_entry(const DatasetBuffers& b, Index entry) {
  if (b.indptr.empty()) return entry / b.n_fields;
  return std::upper_bound(b.indptr.begin(), b.indptr.end(), entry) - b.indptr.begin() - 1;
}

// Looks for the maximum first (that loop has vector code) and for the culprit only if there is one.
template <class Id>
void check_ids(const DatasetBuffers& b, const char* name, std::span<const Id> ids, Index limit) {
  Id largest = 0;
  for (const Id id : ids) largest = std::max(largest, id);
  if (ids.empty() || static_cast<Index>(largest) < limit) return;
  const auto bad =
      std::find_if(ids.begin(), ids.end(), [=](Id id) { return static_cast<Index>(id) >= limit; });
  fail("row " + std::to_string(row_of_entry(b, bad - ids.begin())) + ": expected a " + name +
       " id in " + interval(limit) + ", found " + std::to_string(*bad));
}

// The first element that is not finite, or the size. x - x is 0 for finite x and NaN otherwise.
Index find_not_finite(std::span<const float> x) {
  constexpr std::size_t kBlock = 1024;
  for (std::size_t begin = 0; begin < x.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, x.size());
    bool finite = true;
    for (std::size_t i = begin; i < end; ++i) finite &= x[i] - x[i] == 0;
    if (finite) continue;
    for (std::size_t i = begin; i < end; ++i)
      if (!std::isfinite(x[i])) return static_cast<Index>(i);
  }
  return static_cast<Index>(x.size());
}

}  // namespace

void validate_targets(std::span<const float> y, std::span<const float> weight, Index n_rows) {
  if (!y.empty()) {
    check_length("y", static_cast<Index>(y.size()), n_rows, "one per row");
    if (const Index i = find_not_finite(y); i < n_rows)
      fail("row " + std::to_string(i) + ": expected a finite y, found " + number(y[i]));
  }
  if (!weight.empty()) {
    check_length("sample_weight", static_cast<Index>(weight.size()), n_rows, "one per row");
    for (Index i = 0; i < n_rows; ++i)
      if (!(weight[i] >= 0 && std::isfinite(weight[i])))
        fail("row " + std::to_string(i) + ": expected a finite sample_weight >= 0, found " +
             number(weight[i]));
  }
}

void validate(const DatasetBuffers& b) {
  const Index nnz = static_cast<Index>(b.features.size());
  if (b.n_rows < 0) fail("n_rows: expected a number >= 0, found " + std::to_string(b.n_rows));
  check_limit("n_features", b.n_features, kMaxFeatures);
  check_limit("n_fields", b.n_fields, kMaxFields);
  if (!b.indptr.empty()) {
    check_indptr(b, nnz);
    if (b.fields.empty() && nnz > 0 && b.n_fields < 1)
      fail("n_fields: expected at least 1, found 0");
  } else if (b.n_fields == 0 ? nnz != 0 : nnz / b.n_fields != b.n_rows || nnz % b.n_fields != 0) {
    fail("indices: expected n_rows * n_fields = " + std::to_string(b.n_rows) + " * " +
         std::to_string(b.n_fields) + " ids (there is no indptr), found " + std::to_string(nnz));
  }
  check_ids(b, "feature", b.features, b.n_features);
  if (!b.fields.empty()) {
    check_length("fields", static_cast<Index>(b.fields.size()), nnz, "one per index");
    check_ids(b, "field", b.fields, b.n_fields);
  }
  if (!b.values.empty()) {
    check_length("values", static_cast<Index>(b.values.size()), nnz, "one per index");
    if (const Index i = find_not_finite(b.values); i < nnz)
      fail("row " + std::to_string(row_of_entry(b, i)) + ": expected a finite value, found " +
           number(b.values[i]));
  }
  validate_targets(b.y, b.weight, b.n_rows);
}

}  // namespace pyfm
