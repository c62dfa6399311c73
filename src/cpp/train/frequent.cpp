#include "train/frequent.h"

#include <algorithm>

namespace pyfm {

namespace {

constexpr Index kSampleEntries = 400'000;
constexpr Index kLeastOccurrences = 10;  // of a feature in the sample: fewer say little
constexpr std::size_t kMostFeatures = 8192;

}  // namespace

std::vector<Frequency> frequent_features(const Dataset& data) {
  if (data.n_rows() == 0) return {};
  const Index per_row = std::max<Index>(1, data.nnz() / data.n_rows());
  const Index n_rows = std::clamp<Index>(kSampleEntries / per_row, 1, data.n_rows());
  std::vector<FeatureId> sample;
  for (Index i = 0; i < n_rows; ++i) {
    // Evenly spread, without a product that could overflow.
    const auto at = static_cast<Index>(static_cast<double>(data.n_rows()) *
                                       (static_cast<double>(i) / static_cast<double>(n_rows)));
    const Row row = data.row(at);
    sample.insert(sample.end(), row.features, row.features + row.size);
  }
  std::ranges::sort(sample);
  std::vector<Frequency> found;
  for (auto at = sample.begin(); at != sample.end();) {
    const auto end = std::find_if(at, sample.end(), [&](FeatureId j) { return j != *at; });
    if (end - at >= kLeastOccurrences)
      found.push_back({*at, static_cast<float>(end - at) / static_cast<float>(n_rows)});
    at = end;
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Frequency::per_row);
  if (found.size() > kMostFeatures) found.resize(kMostFeatures);
  return found;
}

}  // namespace pyfm
