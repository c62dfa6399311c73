#include "train/row_copies.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace pyfm {

std::vector<RowId> rows_of(const Model& model, const Dataset& data) {
  std::vector<RowId> rows;
  const auto for_entries = [&](auto&& f) {
    for (Index i = 0; i < data.n_rows(); ++i) {
      const Row row = data.row(i);
      for (const FeatureId j : std::span(row.features, static_cast<std::size_t>(row.size)))
        f(model.rows().row(j));
    }
  };
  const Index n_words = model.rows().n_rows() / 64 + 1;
  if (data.nnz() < n_words) {  // fewer than it takes to look at a bit for each row
    for_entries([&](RowId r) { rows.push_back(r); });
    std::ranges::sort(rows);
    rows.erase(std::ranges::unique(rows).begin(), rows.end());
    if (!rows.empty() && rows.front() == 0) rows.erase(rows.begin());
    return rows;
  }
  std::vector<std::uint64_t> held(static_cast<std::size_t>(n_words));
  for_entries([&](RowId r) { held[r / 64] |= std::uint64_t{1} << r % 64; });
  held[0] &= ~std::uint64_t{1};
  for (std::size_t word = 0; word < held.size(); ++word)
    for (std::uint64_t bits = held[word]; bits != 0; bits &= bits - 1)
      rows.push_back(static_cast<RowId>(word * 64) + static_cast<RowId>(std::countr_zero(bits)));
  return rows;
}

RowCopies::RowCopies(Model& model, std::span<const RowId> rows) : rows_(rows) {
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
