#include "train/row_copies.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace pyfm {

std::vector<RowId> rows_of(const Model& model, const Dataset& data, Index end) {
  std::vector<RowId> rows;
  if (data.nnz() >= end) {  // no fewer entries than rows: all of them, without a look
    rows.resize(static_cast<std::size_t>(end - 1));
    std::iota(rows.begin(), rows.end(), RowId{1});
    return rows;
  }
  for (Index i = 0; i < data.n_rows(); ++i) {
    const Row row = data.row(i);
    for (const FeatureId j : std::span(row.features, static_cast<std::size_t>(row.size)))
      if (const RowId r = model.rows().row(j); r != 0 && r < end) rows.push_back(r);
  }
  std::ranges::sort(rows);
  rows.erase(std::ranges::unique(rows).begin(), rows.end());
  return rows;
}

RowCopies::RowCopies(Model& model, std::vector<RowId> rows) : rows_(std::move(rows)) {
  for (const ModelPart& p : model.parts()) {
    const Index bytes = p.shape.row_bytes();
    char* to = copies_.emplace_back(static_cast<Index>(rows_.size()) * bytes).data();
    for (const RowId r : rows_) to = std::copy_n(p.rows.data() + Index{r} * bytes, bytes, to);
  }
  biases_.assign(model.biases().begin(), model.biases().end());
  if (model.network()) model.network()->save(network_, true);
}

void RowCopies::restore(Model& model) const {
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    ModelPart& p = model.parts()[i];
    const Index bytes = p.shape.row_bytes();
    const char* from = copies_[i].data();
    for (const RowId r : rows_) {
      std::copy_n(from, bytes, p.rows.data() + Index{r} * bytes);
      from += bytes;
    }
  }
  std::ranges::copy(biases_, model.biases().begin());
  if (model.network()) model.network()->restore(network_);
}

}  // namespace pyfm
