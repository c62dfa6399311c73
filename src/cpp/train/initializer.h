// Rows for the features of a data set, ahead of training.
#pragma once
#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

// Gives every feature of the data set that has no row one, with initial weights. The rows of the
// most frequent features come first in the tables, the others in the order of their ids. Training
// does this by itself; done before, it is not part of the first epoch's time. An exception leaves
// the model as it was.
void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll);

}  // namespace pyfm
