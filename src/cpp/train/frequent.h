// The features that most rows hold, by a sample of the rows.
#pragma once
#include <vector>

#include "data/dataset.h"

namespace pyfm {

struct Frequency {
  FeatureId feature;
  float per_row;  // occurrences
};

// Most frequent first; features of the same frequency in the order of their ids.
std::vector<Frequency> frequent_features(const Dataset& data);

}  // namespace pyfm
