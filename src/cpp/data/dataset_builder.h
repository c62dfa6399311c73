// Gathers parsed rows into a data set, storing only what is not implied.
#pragma once
#include "base/array.h"
#include "data/dataset.h"
#include "data/text_block.h"

namespace pyfm {

class DatasetBuilder {
 public:
  explicit DatasetBuilder(TextFormat format) : format_(format) {}

  // Takes the rows of a block without error.
  void append(const TextBlock& block);
  // Memory for `scale` times the rows so far. Untouched memory costs nothing, growing it does.
  void reserve(double scale);
  Index n_rows() const noexcept { return n_rows_; }
  // Hands over the rows; the builder is empty afterwards.
  Dataset finish();

 private:
  struct Buffers {
    Array<Index> indptr;
    Array<FeatureId> features;
    Array<FieldId> fields;
    Array<float> values, y;
  };
  bool still_one_per_field(const TextBlock& block) const noexcept;
  void spell_out_fields();

  TextFormat format_;
  Buffers b_;
  Index n_rows_ = 0;
  Index n_features_ = 0;
  Index n_fields_ = 0;
  bool one_per_field_ = true;  // neither indptr nor fields are stored
  bool all_one_ = true;        // values are not stored
};

}  // namespace pyfm
