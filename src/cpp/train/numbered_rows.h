// Data whose features were looked up once, for several epochs: a look-up is a random place in
// memory for every entry, in rows of which hardly more is read.
#pragma once
#include <cstdint>
#include <optional>

#include "data/augmentation.h"
#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

struct NumberedRows {
  Dataset rows;           // with the numbers of table rows in place of features
  std::uint64_t of;       // id of the data set
  std::uint64_t row_map;  // version of the model's
};

// Of data that the model is initialized for. None where the numbers, four bytes for each stored
// entry, with those of other data would take more than an eighth of the memory that is left, or
// where most of what is stored is not selected.
std::optional<NumberedRows> number_rows(const Model& model, const Dataset& data, int n_threads,
                                        const Poll& poll);

// Throws std::invalid_argument unless they are of these data and the model as it is.
void check_numbered(const Model& model, const Dataset& data, const NumberedRows& numbered,
                    const Augmentation* augmentation);

}  // namespace pyfm
