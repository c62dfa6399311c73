// The one place where buffers are checked; kernels rely on it.
#pragma once
#include "data/dataset.h"

namespace pyfm {

// Throws std::invalid_argument that names the row, what was expected and what was found.
void validate(const DatasetBuffers& buffers);
// The same for targets and weights alone. Empty spans are allowed.
void validate_targets(std::span<const float> y, std::span<const float> weight, Index n_rows);

}  // namespace pyfm
