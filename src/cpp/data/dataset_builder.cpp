#include "data/dataset_builder.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace pyfm {

namespace {

template <class T>
void append_to(Array<T>& to, const T* from, Index n) {
  const Index size = to.size();
  to.resize(size + n);
  std::copy_n(from, n, to.data() + size);
}

template <class T>
void reserve_scaled(Array<T>& array, double scale) {
  array.reserve(static_cast<Index>(static_cast<double>(array.size()) * scale));
}

}  // namespace

bool DatasetBuilder::still_one_per_field(const TextBlock& block) const noexcept {
  return one_per_field_ && block.one_per_field && (n_rows_ == 0 || block.n_fields == n_fields_);
}

void DatasetBuilder::spell_out_fields() {
  one_per_field_ = false;
  b_.indptr.resize(n_rows_ + 1);
  for (Index i = 0; i <= n_rows_; ++i) b_.indptr[i] = i * n_fields_;
  if (format_ == TextFormat::libsvm) return;  // all in field 0: implied by an indptr alone
  b_.fields.resize(b_.features.size());
  for (Index i = 0, at = 0; i < n_rows_; ++i)
    for (Index f = 0; f < n_fields_; ++f) b_.fields[at++] = static_cast<FieldId>(f);
}

void DatasetBuilder::append(const TextBlock& block) {
  if (block.n_rows == 0) return;
  if (one_per_field_ && !still_one_per_field(block)) spell_out_fields();
  const Index begin = b_.features.size();
  if (!one_per_field_) {
    b_.indptr.resize(n_rows_ + block.n_rows + 1);
    for (Index i = 1; i <= block.n_rows; ++i) b_.indptr[n_rows_ + i] = begin + block.indptr[i];
    if (format_ == TextFormat::libffm) append_to(b_.fields, block.fields.data(), block.nnz);
  }
  if (all_one_ && !block.all_one) {
    all_one_ = false;
    b_.values.resize(begin);
    std::fill_n(b_.values.data(), begin, 1.0f);
  }
  if (!all_one_) append_to(b_.values, block.values.data(), block.nnz);
  append_to(b_.features, block.features.data(), block.nnz);
  append_to(b_.y, block.y.data(), block.n_rows);
  n_rows_ += block.n_rows;
  n_features_ = std::max(n_features_, block.n_features);
  n_fields_ = std::max(n_fields_, block.n_fields);
}

void DatasetBuilder::reserve(double scale) {
  reserve_scaled(b_.indptr, scale);
  reserve_scaled(b_.features, scale);
  reserve_scaled(b_.fields, scale);
  reserve_scaled(b_.values, scale);
  reserve_scaled(b_.y, scale);
}

Dataset DatasetBuilder::finish() {
  auto owned = std::make_shared<Buffers>(std::exchange(b_, Buffers{}));
  DatasetBuffers out{.indptr = owned->indptr.view(),
                     .features = owned->features.view(),
                     .fields = owned->fields.view(),
                     .values = owned->values.view(),
                     .y = owned->y.view(),
                     .weight = {},
                     .n_rows = std::exchange(n_rows_, 0),
                     .n_features = std::exchange(n_features_, 0),
                     .n_fields = std::exchange(n_fields_, 0),
                     .owner = owned};
  one_per_field_ = all_one_ = true;
  return Dataset(std::move(out));
}

}  // namespace pyfm
