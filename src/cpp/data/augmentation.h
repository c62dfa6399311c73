// Rows to train on that differ from epoch to epoch, made on the way from the data set to the model.
//
// What happens to a row is a pure function of the model's seed, the epoch, the row's place in it
// and the entry: the same for any number of threads, on every SIMD level, and in a training that
// goes on. By its place and not by its number, since a bootstrap sample holds rows several times.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"

namespace pyfm {

struct Augmentation {
  // Probability that an entry is replaced by its field's unknown …
  double feature_dropout = 0;
  // … (n_fields,) which is a feature of value 1, or -1: nothing. Empty: nothing in any field.
  std::vector<Index> unknown = {};
  // Standard deviation of the factors of values, whose mean is 1 …
  double value_noise = 0;
  // … in the fields for which this is true. Empty: in all.
  std::vector<bool> is_numeric = {};
  // As many rows as there are, drawn with replacement.
  bool bootstrap = false;

  bool changes_rows() const noexcept { return feature_dropout > 0 || value_noise > 0; }
};

// Throws std::invalid_argument that names what does not fit rows of a model with so many features
// and fields.
void check_augmentation(const Augmentation& augmentation, const Dataset& data, Index n_features,
                        Index n_fields);

// Which row of n stands at this place of the bootstrap sample; places are in [0, n), too.
inline Index bootstrap_row(std::uint64_t seed, Index place, Index n) noexcept {
  constexpr std::uint64_t stream = 0x626f6f7473747261;
  return static_cast<Index>(random_below(
      random_key(seed, stream), static_cast<std::uint64_t>(place), static_cast<std::uint64_t>(n)));
}

// Identifies the features of the rows that are made of a data set, together with the set's own id.
std::uint64_t features_key(const Augmentation& augmentation) noexcept;

// Room for one row.
struct RowBuffer {
  explicit RowBuffer(Index max_row_nnz);
  std::vector<FeatureId> features;
  std::vector<FieldId> fields;
  std::vector<float> values;
};

// Changes the rows of one epoch.
class Augmenter {
 public:
  // Keeps a reference.
  Augmenter(const Augmentation& augmentation, std::uint64_t seed, Index epoch) noexcept;

  // The row at this place in the epoch; it lives in `buffer`.
  Row row(const Row& row, Index place, RowBuffer& buffer) const noexcept;

  // What stands for an entry of this row's place: none: the entry itself, -1: nothing.
  std::optional<Index> replacement(Index place, Index entry, FieldId field) const noexcept;

 private:
  bool drops(std::uint64_t row_key, Index entry) const noexcept {
    return random_uniform(row_key, static_cast<std::uint32_t>(entry)) <
           augmentation_->feature_dropout;
  }
  Index unknown(FieldId field) const noexcept {
    return augmentation_->unknown.empty() ? -1 : augmentation_->unknown[field];
  }
  bool is_numeric(FieldId field) const noexcept {
    const std::vector<bool>& numeric = augmentation_->is_numeric;
    return numeric.empty() || (field < numeric.size() && numeric[field]);
  }
  float noisy(float x, std::uint64_t row_key, Index entry) const noexcept;
  std::uint64_t row_key(Index place) const noexcept {
    return random_key(epoch_key_, static_cast<std::uint64_t>(place));
  }

  const Augmentation* augmentation_;
  std::uint64_t epoch_key_;
};

}  // namespace pyfm
