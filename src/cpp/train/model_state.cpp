// Weights and the optimizers' state of a model, in and out.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "train/model.h"
#include "train/table_rows.h"

namespace pyfm {

Index Model::place(Index i, const ModelPart& p) const noexcept {
  return (i * spec_.n_outputs + static_cast<Index>(p.output)) * weights_per_feature(p.shape);
}

void Model::read(Part part, std::span<const FeatureId> features, float* to,
                 const Snapshot* snapshot) {
  for (const ModelPart& p : parts_) {
    if (p.part != part) continue;
    const Array<char>* rows = &p.rows;
    Index stride = p.shape.stride, n_rows = rows_.n_rows();
    if (snapshot) {
      if (snapshot->weights.size() != parts_.size())
        throw std::invalid_argument("snapshot: expected one of this model");
      rows = &snapshot->weights[static_cast<std::size_t>(&p - parts_.data())];
      stride = p.shape.width, n_rows = snapshot->features.size();
      if (rows->size() != n_rows * weight_bytes(p.shape))
        throw std::invalid_argument("snapshot: expected one of this model");
    }
    with_storage(p.shape.storage, [&]<class Number>(Number) {
      const auto* table = reinterpret_cast<const Number*>(rows->data());
      for (std::size_t i = 0; i < features.size(); ++i) {
        const Index r = rows_.row(features[i]);
        for_weights(p.shape, table + (r < n_rows ? r : 0) * stride,
                    to + place(static_cast<Index>(i), p),
                    [](const Number& w, float& x) { x = to_float(w); });
      }
    });
  }
}

void Model::write(Part part, std::span<const FeatureId> features, const float* from) {
  std::vector<FeatureId> without_row;
  for (const FeatureId j : features)
    if (rows_.row(j) == 0) without_row.push_back(j);
  std::ranges::sort(without_row);
  without_row.erase(std::ranges::unique(without_row).begin(), without_row.end());
  add_empty_rows(without_row);  // the other parts of these features are all 0

  for (ModelPart& p : parts_) {
    if (p.part != part) continue;
    with_storage(p.shape.storage, [&]<class Number>(Number) {
      auto* table = reinterpret_cast<Number*>(p.rows.data());
      for (std::size_t i = 0; i < features.size(); ++i) {
        const RowId r = rows_.row(features[i]);
        for_weights(p.shape, table + Index{r} * p.shape.stride,
                    from + place(static_cast<Index>(i), p),
                    [](Number& w, const float& x) { round_to(w, x, kHalfUlp); });
        if (trainable()) p.kernels().init_slots(p.view(), r);
      }
    });
  }
}

int Model::slots(Part part) {
  return trainable() ? optimizers()[find(part)->optimizer.index].slots : 0;
}

void Model::check_rows(std::span<const FeatureId> features) const {
  for (const FeatureId j : features)
    if (rows_.row(j) == 0)
      throw std::invalid_argument("features: expected some with rows, found " + std::to_string(j));
}

// f(number in the table, number of the outside) for all of the state of a part.
template <class Outside, class F>
void Model::for_state(Part part, std::span<const FeatureId> features, Outside* outside, F&& f) {
  check_rows(features);
  const int n_slots = slots(part);
  for (ModelPart& p : parts_) {
    if (p.part != part) continue;
    with_storage(p.shape.storage, [&]<class Number>(Number) {
      auto* table = reinterpret_cast<Number*>(p.rows.data());
      Index at = 0;
      for (const FeatureId j : features)
        for (int s = 1; s <= n_slots; ++s)
          for_weights(p.shape, table + Index{rows_.row(j)} * p.shape.stride + s * p.shape.width,
                      outside + place(at++, p), f);
    });
  }
}

void Model::read_state(Part part, std::span<const FeatureId> features, float* to) {
  for_state(part, features, to, [](const auto& n, float& x) { x = to_float(n); });
}

void Model::write_state(Part part, std::span<const FeatureId> features, const float* from) {
  for_state(part, features, from, [](auto& n, const float& x) { round_to(n, x, kHalfUlp); });
}

}  // namespace pyfm
