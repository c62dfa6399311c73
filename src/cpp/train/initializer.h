// Rows for the features of a data set, ahead of training.
#pragma once
#include "data/augmentation.h"
#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

// Gives every feature of the data set that has no row one, with initial weights; with an
// augmentation also its unknowns, and with a bootstrap sample only what the sample holds. Rows lie
// in the order of the features' frequency: what is used often shares cache lines and pages with its
// like, and the first rows are those that threads keep copies of. Training does this by itself;
// done before, it is not part of the first epoch's time. An exception leaves the model as it was.
void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                const Augmentation* augmentation = nullptr);

}  // namespace pyfm
