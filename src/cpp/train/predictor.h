// Scores of rows. The model is not changed: several threads may predict with one model.
#pragma once
#include <span>

#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

// Features and fields that the model does not know are ignored. Shape (n_rows, n_outputs).
void decision_function(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                       std::span<float> scores);

// Scores through the inverse link of the loss, or the softmax.
void predict(Model& model, const Dataset& data, int n_threads, const Poll& poll,
             std::span<double> predictions);

}  // namespace pyfm
