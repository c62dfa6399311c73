// Every integer width of the library, in one place.
#pragma once
#include <cstdint>
#include <limits>

namespace pyfm {

using FeatureId = std::uint32_t;  // column of the feature space
using FieldId = std::uint16_t;    // group of features; FFM has one vector per feature and field
using RowId = std::uint32_t;      // row of a model's tables; 0 is a row of zeros
using Index = std::int64_t;       // rows, non-zeros, bytes: anything that counts

inline constexpr Index kMaxFeatures = Index{1} << 32;
inline constexpr Index kMaxFields = Index{1} << 16;

}  // namespace pyfm
