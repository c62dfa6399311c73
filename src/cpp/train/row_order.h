// The order in which an epoch takes the rows.
#pragma once
#include <cstdint>

#include "base/array.h"
#include "base/types.h"
#include "train/trainer.h"

namespace pyfm {

// (n_rows,) numbers of rows; a bootstrap sample holds some of them several times.
//
// Shuffled for locality, which training feels in every row: short tiles of neighbours are put into
// a random order, and then the rows among those of many tiles. Up to 16,384 rows every order is as
// likely as any other.
Array<Index> row_order(Index n_rows, std::uint64_t seed, const EpochOptions& options);

}  // namespace pyfm
