// Initial weights, ahead of training.
#pragma once
#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"
#include "train/worker.h"

namespace pyfm {

// Gives the table rows of `row`'s features their initial values, unless they have them.
void meet(Model& model, const Worker& worker, const Row& row);

// The same for all features of a data set, in the order of memory. Training does this by itself
// when it first meets a feature; done before, the first pass costs no more than those that follow.
void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll);

}  // namespace pyfm
