// One example, as the kernels see it: a plain aggregate that crosses the ISA border.
#pragma once
#include "base/types.h"

namespace pyfm {

struct Row {
  const FeatureId* features;
  const FieldId* fields;  // null: entry i belongs to field i
  const float* values;    // null: all values are 1
  Index size;

  FieldId field(Index i) const noexcept { return fields ? fields[i] : static_cast<FieldId>(i); }
  float value(Index i) const noexcept { return values ? values[i] : 1.0f; }
};

}  // namespace pyfm
