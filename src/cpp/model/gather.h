// What all models do first: find the table rows of a row's entries.
#pragma once
#include "base/random.h"
#include "data/row.h"
#include "model/lanes.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

// Values are multiplied by `scale`. Unknown features and fields are left out, and stored zeros.
inline void gather(const PartView& view, const Row& row, float scale, bool use_fields, Scratch& s) {
  const Index n_features = view.shape.n_features;
  const Index n_fields = use_fields ? view.shape.n_fields : kMaxFields;
  int n = 0;
  for (Index i = 0; i < row.size; ++i) {
    const FeatureId j = row.features[i];
    const Index f = row.fields ? row.fields[i] : i;
    const float x = row.values ? row.values[i] * scale : scale;
    s.entry[n] = view.row(j);
    s.x[n] = x;
    s.field[n] = static_cast<FieldId>(f);
    n += static_cast<Index>(j) < n_features && f < n_fields && x != 0;
  }
  s.n_entries = n;
}

// Initial weights are a pure function of (seed, feature, position in the row); padding is 0.
inline void init_weights(const PartShape& shape, FeatureId j, float* w) {
  const std::uint64_t key = random_key(shape.seed, j);
  const float low = shape.init_low, range = shape.init_high - shape.init_low;
  for (Index i = 0; i < shape.width; ++i)
    w[i] = low + range * random_uniform(key, static_cast<std::uint32_t>(i));
  for (Index f = 0; f < shape.n_fields; ++f)
    for (int d = shape.n_factors; d < shape.block; ++d) w[f * shape.block + d] = 0;
  for (Index i = static_cast<Index>(shape.n_fields) * shape.block; i < shape.width; ++i) w[i] = 0;
}

}  // namespace
}  // namespace pyfm::PYFM_ISA
