// The optimizers' state of a model, in and out.
#include <stdexcept>
#include <string>

#include "train/model.h"
#include "train/table_rows.h"

namespace pyfm {

int Model::slots(Part part) {
  return trainable() ? optimizers()[find(part)->optimizer.index].slots : 0;
}

void Model::check_rows(std::span<const FeatureId> features) const {
  for (const FeatureId j : features)
    if (rows_.row(j) == 0)
      throw std::invalid_argument("features: expected some with rows, found " + std::to_string(j));
}

void Model::read_state(Part part, std::span<const FeatureId> features, float* to) {
  check_rows(features);
  const PartShape& shape = find(part)->shape;
  const int n_slots = slots(part);
  with_storage(shape.storage, [&]<class Number>(Number) {
    const auto* table = reinterpret_cast<const Number*>(find(part)->rows.data());
    for (const FeatureId j : features)
      for (int s = 1; s <= n_slots; ++s) {
        const Number* slot = table + Index{rows_.row(j)} * shape.stride + s * shape.width;
        for_weights(shape, slot, to, [](const Number& n, float& x) { x = to_float(n); });
        to += weights_per_feature(shape);
      }
  });
}

void Model::write_state(Part part, std::span<const FeatureId> features, const float* from) {
  check_rows(features);
  const PartShape& shape = find(part)->shape;
  const int n_slots = slots(part);
  with_storage(shape.storage, [&]<class Number>(Number) {
    auto* table = reinterpret_cast<Number*>(find(part)->rows.data());
    for (const FeatureId j : features)
      for (int s = 1; s <= n_slots; ++s) {
        Number* slot = table + Index{rows_.row(j)} * shape.stride + s * shape.width;
        for_weights(shape, slot, from, [](Number& n, const float& x) { round_to(n, x, kHalfUlp); });
        from += weights_per_feature(shape);
      }
  });
}

}  // namespace pyfm
