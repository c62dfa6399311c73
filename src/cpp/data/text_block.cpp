#include "data/text_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/text_scan.h"

namespace pyfm {

namespace {

// The shortest row is "0\n", the shortest entry "0:0 ".
constexpr Index kMinRowBytes = 2;
constexpr Index kMinEntryBytes = 4;

// The usual cause of a colon too few or too many.
template <TextFormat format>
constexpr const char* kNotLibffm =
    format == TextFormat::libffm
        ? " (libffm entries are field:feature:value; feature:value is libsvm)"
        : "";
template <TextFormat format>
constexpr const char* kNotLibsvm =
    format == TextFormat::libsvm
        ? " (libsvm entries are feature:value; field:feature:value is libffm)"
        : "";

struct Failure {
  const char* at;
  std::string message;
};

// What stands at p, for an error message: the token, shortened, unprintable bytes in hexadecimal.
std::string found(const char* p, const char* end) {
  if (p >= end || *p == '\n' || *p == '\r' || *p == '#') return "the end of the line";
  if (is_blank(*p)) return "a blank";
  constexpr int kShown = 24;
  std::string text;
  for (int i = 0; p < end && (i == 0 || !ends_token(*p)); ++p, ++i) {
    if (i == kShown) return "'" + text + "…'";
    const auto byte = static_cast<unsigned char>(*p);
    constexpr char kHex[] = "0123456789abcdef";
    if (byte > ' ' && byte < 0x7f)
      text += *p;
    else
      text += {'\\', 'x', kHex[byte / 16], kHex[byte % 16]};
  }
  return "'" + text + "'";
}

class Parser {
 public:
  Parser(std::string_view text, TextBlock& out)
      : p_(text.data()), end_(text.data() + text.size()), out_(out) {}

  template <TextFormat format>
  void run() {
    const char* line = p_;
    try {
      for (; p_ < end_; ++out_.n_lines) {
        line = p_;
        skip_blanks();
        if (!at_line_end()) read_row<format>();
        next_line();
      }
    } catch (const Failure& failure) {
      out_.error = TextError{out_.n_lines, failure.at - line + 1, failure.message};
    }
  }

 private:
  void skip_blanks() noexcept {
    while (is_blank(*p_)) ++p_;
  }
  bool at_line_end() const noexcept { return *p_ == '\n' || *p_ == '#' || p_ >= end_; }
  void next_line() noexcept {
    if (*p_ != '\n') {
      const void* found = std::memchr(p_, '\n', static_cast<std::size_t>(end_ - p_));
      p_ = found ? static_cast<const char*>(found) : end_;
    }
    if (p_ < end_) ++p_;
  }
  [[noreturn, gnu::cold]] void fail(const char* at, const std::string& expected,
                                    const char* hint = "") const {
    throw Failure{at, "expected " + expected + ", found " + found(at, end_) + hint};
  }

  template <TextFormat format>
  void read_row() {
    float& y = out_.y[out_.n_rows];
    p_ = number("a label (a finite number)", y);
    FeatureId* const features = out_.features.data();
    FieldId* const fields = out_.fields.data();
    float* const values = out_.values.data();
    const Index first = out_.nnz;
    Index n = first;
    std::uint32_t max_field = 0, misplaced = 0;
    for (;;) {
      skip_blanks();
      if (at_line_end()) break;
      if constexpr (format == TextFormat::libffm) {
        const std::uint32_t field = id("a field id", kMaxFields);
        expect_colon("':' after the field id");
        fields[n] = static_cast<FieldId>(field);
        max_field = std::max(max_field, field);
        misplaced |= field ^ static_cast<std::uint32_t>(n - first);
      }
      const std::uint32_t feature = id("a feature id", kMaxFeatures);
      expect_colon("':' and a value after the feature id", kNotLibffm<format>);
      features[n] = feature;
      max_feature_ = std::max(max_feature_, feature);
      if (p_[0] == '1' && ends_token(p_[1])) {
        values[n] = 1;
        ++p_;
      } else {
        p_ = number("a value (a finite number)", values[n], kNotLibsvm<format>);
        out_.all_one &= values[n] == 1;
      }
      ++n;
    }
    finish_row<format>(n, max_field, misplaced);
  }

  template <TextFormat format>
  void finish_row(Index nnz, std::uint32_t max_field, std::uint32_t misplaced) noexcept {
    const Index size = nnz - out_.nnz;
    out_.nnz = nnz;
    out_.indptr[++out_.n_rows] = nnz;
    if (nnz > 0) out_.n_features = Index{max_feature_} + 1;
    if constexpr (format == TextFormat::libffm) {
      if (misplaced != 0 || (out_.n_rows > 1 && size != out_.n_fields)) out_.one_per_field = false;
      if (size > 0) out_.n_fields = std::max(out_.n_fields, Index{max_field} + 1);
    } else {
      out_.one_per_field = false;
      if (size > 0) out_.n_fields = 1;
    }
  }

  std::uint32_t id(const char* what, Index limit) {
    std::uint64_t value;
    const char* stop = scan_digits(p_, value);
    if (stop == p_ || value >= static_cast<std::uint64_t>(limit))
      fail(p_, std::string(what) + " in [0, " + std::to_string(limit) + ")");
    p_ = stop;
    return static_cast<std::uint32_t>(value);
  }

  void expect_colon(const char* what, const char* hint = "") {
    if (*p_ != ':') [[unlikely]]
      fail(p_, what, p_ >= end_ || ends_token(*p_) ? hint : "");
    ++p_;
  }

  const char* number(const char* what, float& value, const char* hint = "") {
    const char* stop = scan_number(p_, end_, value);
    const bool complete = stop != nullptr && (stop >= end_ || ends_token(*stop));
    if (!complete || !std::isfinite(value)) [[unlikely]]
      fail(p_, what, stop != nullptr && stop < end_ && *stop == ':' ? hint : "");
    return stop;
  }

  const char* p_;
  const char* const end_;
  TextBlock& out_;
  std::uint32_t max_feature_ = 0;
};

}  // namespace

void TextBlock::parse(std::string_view text, TextFormat format) {
  const Index bytes = static_cast<Index>(text.size());
  const Index rows = bytes / kMinRowBytes + 1, entries = bytes / kMinEntryBytes + 1;
  indptr.resize(rows + 1);
  y.resize(rows);
  features.resize(entries);
  values.resize(entries);
  if (format == TextFormat::libffm) fields.resize(entries);
  n_rows = nnz = n_lines = n_features = n_fields = 0;
  one_per_field = all_one = true;
  error.reset();

  Parser parser(text, *this);
  format == TextFormat::libffm ? parser.run<TextFormat::libffm>()
                               : parser.run<TextFormat::libsvm>();
}

}  // namespace pyfm
