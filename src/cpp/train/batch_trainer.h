// Training in batches: all examples of a batch are scored, then each feature that they hold takes
// one step along the mean of their gradients. The same model for any number of threads.
#pragma once
#include "data/dataset.h"
#include "train/model.h"
#include "train/trainer.h"

namespace pyfm {

// One pass over the examples in `order`. The model is ready to be trained (see trainer.cpp). An
// exception leaves it as the last batch did.
LossSum train_batches(Model& model, const Dataset& data, const Array<Index>& order,
                      const EpochOptions& options);

}  // namespace pyfm
