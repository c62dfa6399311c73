// Rows as text, as the text reader takes it.
#pragma once
#include <string>

#include "data/dataset.h"
#include "data/text_block.h"

namespace pyfm {

// A line for each row, in the fewest digits that give the same numbers back. Rows without targets
// have the label 0; weights are left out.
std::string format_rows(const Dataset& data, TextFormat format);

}  // namespace pyfm
