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

// The position `p` is handed through by value, so that it stays in a register.
class Parser {
 public:
  Parser(std::string_view text, TextBlock& out) : end_(text.data() + text.size()), out_(out) {}

  template <TextFormat format>
  void run(const char* p) {
    const char* line = p;
    try {
      for (; p < end_; ++out_.n_lines) {
        line = p;
        p = skip_blanks(p);
        if (!at_line_end(p)) p = read_row<format>(p);
        p = next_line(p);
      }
    } catch (const Failure& failure) {
      out_.error = TextError{out_.n_lines, failure.at - line + 1, failure.message};
    }
  }

 private:
  static const char* skip_blanks(const char* p) noexcept {
    while (is_blank(*p)) ++p;
    return p;
  }
  bool at_line_end(const char* p) const noexcept { return *p == '\n' || *p == '#' || p >= end_; }
  const char* next_line(const char* p) const noexcept {
    if (*p != '\n') {
      const void* found = std::memchr(p, '\n', static_cast<std::size_t>(end_ - p));
      p = found ? static_cast<const char*>(found) : end_;
    }
    return p < end_ ? p + 1 : p;
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void fail(const char* at, const char* end,
                                                          std::string_view expected,
                                                          const char* hint = "") {
    throw Failure{at, "expected " + std::string(expected) + ", found " + found(at, end) + hint};
  }

  template <TextFormat format>
  const char* read_row(const char* p) {
    p = number(p, "a label (a finite number)", out_.y[out_.n_rows]);
    FeatureId* const features = out_.features.data() + out_.nnz;
    FieldId* const fields = out_.fields.data() + (format == TextFormat::libffm ? out_.nnz : 0);
    float* const values = out_.values.data() + out_.nnz;
    Index n = 0;
    std::uint32_t max_feature = 0, max_field = 0, misplaced = 0;
    bool all_one = true;
    for (;; ++n) {
      p = skip_blanks(p);
      if (at_line_end(p)) break;
      if constexpr (format == TextFormat::libffm) {
        std::uint32_t field;
        p = field_id(p, field);
        p = colon(p, "':' after the field id");
        fields[n] = static_cast<FieldId>(field);
        max_field = std::max(max_field, field);
        misplaced |= field ^ static_cast<std::uint32_t>(n);
      }
      p = id(p, "a feature id", kMaxFeatures, features[n]);
      p = colon(p, "':' and a value after the feature id", kNotLibffm<format>);
      max_feature = std::max(max_feature, features[n]);
      if (p[0] == '1' && ends_token(p[1])) {
        values[n] = 1;
        ++p;
      } else {
        p = number(p, "a value (a finite number)", values[n], kNotLibsvm<format>);
        all_one &= values[n] == 1;
      }
    }
    out_.all_one &= all_one;
    finish_row<format>(n, max_feature, max_field, misplaced != 0);
    return p;
  }

  template <TextFormat format>
  void finish_row(Index size, FeatureId max_feature, std::uint32_t max_field, bool misplaced) {
    out_.nnz += size;
    out_.indptr[++out_.n_rows] = out_.nnz;
    if (format == TextFormat::libsvm || misplaced || (out_.n_rows > 1 && size != out_.n_fields))
      out_.one_per_field = false;
    if (size == 0) return;
    out_.n_features = std::max(out_.n_features, Index{max_feature} + 1);
    out_.n_fields = std::max(out_.n_fields, Index{max_field} + 1);
  }

  // Fields of one or two digits by branches: their lengths are foreseen, so that the processor goes
  // on with the feature id before it has read the field. Feature ids vary too much for that.
  [[gnu::always_inline]] const char* field_id(const char* p, std::uint32_t& field) const {
    const auto first = static_cast<unsigned char>(p[0] - '0');
    if (first < 10) {
      field = first;
      if (p[1] == ':') return p + 1;
      const auto second = static_cast<unsigned char>(p[1] - '0');
      field = first * 10u + second;
      if (second < 10 && p[2] == ':') return p + 2;
    }
    return id(p, "a field id", kMaxFields, field);
  }
  [[gnu::always_inline]] const char* id(const char* p, const char* what, Index limit,
                                        std::uint32_t& id) const {
    std::uint64_t value;
    const char* stop = scan_digits(p, value);
    if (stop == p || value >= static_cast<std::uint64_t>(limit)) [[unlikely]]
      fail_id(p, what, limit);
    id = static_cast<std::uint32_t>(value);
    return stop;
  }
  [[gnu::always_inline]] const char* colon(const char* p, const char* what,
                                           const char* hint = "") const {
    if (*p != ':') [[unlikely]]
      fail(p, end_, what, p >= end_ || ends_token(*p) ? hint : "");
    return p + 1;
  }
  [[noreturn, gnu::cold, gnu::noinline]] void fail_id(const char* p, const char* what,
                                                      Index limit) const {
    fail(p, end_, std::string(what) + " in [0, " + std::to_string(limit) + ")");
  }

  const char* number(const char* p, const char* what, float& value, const char* hint = "") const {
    const char* stop = scan_number(p, end_, value);
    const bool complete = stop != nullptr && (stop >= end_ || ends_token(*stop));
    if (!complete || !std::isfinite(value)) [[unlikely]]
      fail(p, end_, what, stop != nullptr && stop < end_ && *stop == ':' ? hint : "");
    return stop;
  }

  const char* const end_;
  TextBlock& out_;
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
  format == TextFormat::libffm ? parser.run<TextFormat::libffm>(text.data())
                               : parser.run<TextFormat::libsvm>(text.data());
}

}  // namespace pyfm
