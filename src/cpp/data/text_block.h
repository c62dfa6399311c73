// Rows parsed from one stretch of text, on one thread, with nothing left implied.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/array.h"
#include "base/types.h"

namespace pyfm {

// libffm: "label field:feature:value …". libsvm: "label feature:value …"; all in field 0.
enum class TextFormat { libffm, libsvm };

struct TextError {
  Index line;    // lines before it in the block
  Index column;  // from 1, in bytes
  std::string message;
};

struct TextBlock {
  // The first n_rows + 1, nnz, or n_rows elements count; the arrays are kept from parse to parse.
  Array<Index> indptr;
  Array<FeatureId> features;
  Array<FieldId> fields;  // unused by libsvm
  Array<float> values;
  Array<float> y;
  Index n_rows = 0;
  Index nnz = 0;
  Index n_lines = 0;
  Index n_features = 0;  // largest id + 1
  Index n_fields = 0;
  bool one_per_field = true;  // every row has the fields 0, 1, …, n_fields - 1 in this order
  bool all_one = true;        // every value is 1
  std::optional<TextError> error;

  // Replaces the content by the rows of `text`, whole lines of which only the last may lack its
  // end. What follows the text: see text_scan.h.
  void parse(std::string_view text, TextFormat format);
};

}  // namespace pyfm
