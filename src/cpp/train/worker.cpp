#include "train/worker.h"

#include <stdexcept>
#include <string>

namespace pyfm {

void check_trainable(const Model& model, const Dataset& data) {
  const ModelSpec& spec = model.spec();
  if (!model.trainable())
    throw std::invalid_argument("this model has no optimizer state: it was made for prediction");
  if (data.n_features() > spec.n_features)
    throw std::invalid_argument("training data: expected at most " +
                                std::to_string(spec.n_features) + " features, found " +
                                std::to_string(data.n_features()));
  if (spec.kind == "ffm" && data.n_fields() > spec.n_fields)
    throw std::invalid_argument("training data: expected at most " + std::to_string(spec.n_fields) +
                                " fields, found " + std::to_string(data.n_fields()));
}

}  // namespace pyfm
