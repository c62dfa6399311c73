#include "data/text_writer.h"

#include <charconv>

namespace pyfm {

namespace {

// Longer than any number here: -1.17549435e-38, 4294967295.
constexpr std::size_t kMostDigits = 32;

template <class T>
void append_number(std::string& text, T number) {
  char digits[kMostDigits];
  const std::to_chars_result end = std::to_chars(digits, digits + kMostDigits, number);
  text.append(digits, end.ptr);
}

}  // namespace

std::string format_rows(const Dataset& data, TextFormat format) {
  std::string text;
  text.reserve(static_cast<std::size_t>(data.nnz()) * 12);
  for (Index i = 0; i < data.n_rows(); ++i) {
    append_number(text, data.buffers().y.empty() ? 0.0f : data.y(i));
    const Row row = data.row(i);
    for (Index e = 0; e < row.size; ++e) {
      text += ' ';
      if (format == TextFormat::libffm) {
        append_number(text, std::uint32_t{row.field(e)});
        text += ':';
      }
      append_number(text, row.features[e]);
      text += ':';
      append_number(text, row.value(e));
    }
    text += '\n';
  }
  return text;
}

}  // namespace pyfm
