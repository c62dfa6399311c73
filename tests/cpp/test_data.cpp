// Data sets, numbers out of text, files, and the text reader cut in every way.
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/text_reader.h"
#include "data/text_scan.h"

namespace pyfm {
namespace {

BOOST_AUTO_TEST_SUITE(data)

// Text followed by what the scanners may read, in memory that ends there.
std::vector<char> padded(const std::string& text, char next = '\0') {
  std::vector<char> bytes(text.begin(), text.end());
  bytes.resize(bytes.size() + static_cast<std::size_t>(kScanAhead), '\0');
  bytes[text.size()] = next;
  return bytes;
}

BOOST_AUTO_TEST_CASE(digits_of_any_number) {
  for (const char next : {'\0', ' ', ':', '/', 'a', '\x80', '\xff'}) {
    std::string text;
    std::uint64_t expected = 0;
    for (int n = 0; n <= 18; ++n) {
      const std::vector<char> bytes = padded(text, next);
      std::uint64_t value = 1;
      BOOST_TEST(scan_digits(bytes.data(), value) - bytes.data() == n);
      BOOST_TEST(value == expected);
      const int digit = (7 * n + 3) % 10;
      text += static_cast<char>('0' + digit);
      expected = expected * 10 + static_cast<std::uint64_t>(digit);
    }
    for (const char* large :
         {"1234567890123456789", "00000000000000000000", "99999999999999999999999"}) {
      const std::vector<char> bytes = padded(large, next);
      std::uint64_t value = 0;
      BOOST_TEST(scan_digits(bytes.data(), value) - bytes.data() ==
                 static_cast<std::ptrdiff_t>(std::string(large).size()));
      BOOST_TEST(value >= 1000000000000000000u);
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_round_like_strtof) {
  for (const char* text : {"0",
                           "1",
                           "-1",
                           "7.",
                           ".25",
                           "0.1",
                           "0.33333334",
                           "3.4028234e38",
                           "-1e-45",
                           "16777216",
                           "16777217",
                           "16777219",
                           "0.0000001",
                           "123456.7",
                           "1234567.8",
                           "9999999",
                           "0.30000001192",
                           "1e10",
                           "1.17549435e-38",
                           "000.5",
                           "99999999999",
                           "0.9999999",
                           "1677721.5",
                           "1677721.6"}) {
    const std::vector<char> bytes = padded(text);
    float value = -1;
    const char* end = bytes.data() + std::string(text).size();
    BOOST_TEST((scan_number(bytes.data(), end, value) == end));
    BOOST_TEST(value == std::strtof(text, nullptr), text);
  }
  for (const char* text : {"", "-", "+", "x", "+-1", "1e39", "-1e400", "."}) {
    const std::vector<char> bytes = padded(text);
    float value;
    const char* end = bytes.data() + std::string(text).size();
    BOOST_TEST((scan_number(bytes.data(), end, value) == nullptr), text);
  }
}

const std::string kText =
    "1 0:12345678:1 1:9:0.25\r\n\n-1 0:3:1 1:4294967295:1 # comment\n#\n0\t65535:2:-3e2 5:7:1\n2";

bool same(const Dataset& a, const Dataset& b) {
  const auto equal = [](auto x, auto y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end());
  };
  const DatasetBuffers &x = a.buffers(), &y = b.buffers();
  return equal(x.indptr, y.indptr) && equal(x.features, y.features) && equal(x.fields, y.fields) &&
         equal(x.values, y.values) && equal(x.y, y.y) && a.n_features() == b.n_features() &&
         a.n_fields() == b.n_fields();
}

Dataset read(const std::string& text, TextFormat format = TextFormat::libffm, int n_threads = 1,
             Index part_bytes = TextReader::kPartBytes) {
  TextReader reader("text", format, n_threads, part_bytes);
  reader.feed(text);
  return reader.finish();
}

BOOST_AUTO_TEST_CASE(rows_do_not_depend_on_parts_and_blocks) {
  std::string text = kText;
  while (text.size() < 100000) text += "\n" + kText;  // more than the smallest part
  const Dataset whole = read(text);
  BOOST_TEST(whole.n_features() == kMaxFeatures);
  BOOST_TEST(whole.n_fields() == kMaxFields);
  for (const int n_threads : {1, 2, 5})
    for (const Index part_bytes : {Index{1}, Index{7}, Index{300}, Index{20000}})
      BOOST_TEST(same(read(text, TextFormat::libffm, n_threads, part_bytes), whole));

  for (std::size_t step : {1, 2, 3, 50}) {
    TextReader reader("text", TextFormat::libffm, 2, 40);
    for (std::size_t at = 0; at < kText.size(); at += step) {
      const std::string block = kText.substr(at, step);  // its own memory: no byte after it is read
      reader.feed(block);
    }
    BOOST_TEST(same(reader.finish(), read(kText)));
  }
}

BOOST_AUTO_TEST_CASE(the_first_error_wins) {
  const std::string good = "1 0:1:1\n", bad = "1 0:1:x\n";
  for (const int n_threads : {1, 2, 4}) {
    TextReader reader("rows.ffm", TextFormat::libffm, n_threads, 16);
    BOOST_CHECK_EXCEPTION(reader.feed(good + "\n" + good + bad + good + bad), FormatError,
                          [](const FormatError& error) {
                            return std::string(error.what()) ==
                                   "rows.ffm:4:7: expected a value (a finite number), found 'x'";
                          });
  }
}

BOOST_AUTO_TEST_CASE(a_reader_starts_afresh) {
  TextReader reader("text", TextFormat::libsvm, 1);
  reader.feed("1 3:1");
  BOOST_TEST(reader.finish().n_features() == 4);
  reader.feed("0 1:1\n");
  const Dataset second = reader.finish();
  BOOST_TEST(second.n_rows() == 1);
  BOOST_TEST(second.n_features() == 2);
  BOOST_CHECK_THROW(reader.finish(), FormatError);
}

BOOST_AUTO_TEST_CASE(text_that_is_not_held_whole_goes_on) {
  TextReader reader("name", TextFormat::libffm, 1);
  reader.feed("1 0:3:1\n0 0:5:1\n1 0:");
  BOOST_TEST(reader.n_rows() == 2);
  const Dataset first = reader.take();
  BOOST_TEST(first.n_rows() == 2);
  BOOST_TEST(first.n_features() == 6);
  BOOST_TEST(reader.take().n_rows() == 0);
  reader.feed("9:1");
  reader.end_text();
  BOOST_TEST(reader.take().row(0).features[0] == 9u);
  BOOST_TEST(reader.n_lines() == 3);  // the last one had no end
  TextReader next("name", TextFormat::libffm, 1);
  next.skip_lines(3);
  BOOST_CHECK_EXCEPTION(next.feed("\n1 x\n"), FormatError, [](const FormatError& error) {
    return std::string(error.what()).starts_with("name:5:3:");
  });
}

BOOST_AUTO_TEST_CASE(libsvm_rows_are_in_field_0) {
  const Dataset rows = read("1 7:1 8:2\n0\n1 9:1", TextFormat::libsvm);
  BOOST_TEST(rows.n_fields() == 1);
  BOOST_TEST(rows.buffers().fields.empty());
  const Row first = rows.row(0);
  BOOST_TEST(first.size == 2);
  BOOST_TEST(first.field(0) == 0);
  BOOST_TEST(first.field(1) == 0);
  BOOST_TEST(first.value(1) == 2);
  BOOST_TEST(rows.row(1).size == 0);
  BOOST_TEST(rows.slice(1, 3).row(1).features[0] == 9u);
}

BOOST_AUTO_TEST_CASE(a_slice_of_compressed_rows_starts_at_0) {
  const Dataset rows = read("1 0:1:1\n0 0:2:1 1:3:1\n1 1:4:1 0:5:1 0:6:1");
  const Dataset slice = rows.slice(1, 3);
  BOOST_TEST(slice.buffers().indptr[0] == 0);
  BOOST_TEST(slice.nnz() == 5);
  BOOST_TEST(slice.max_row_nnz() == 3);
  BOOST_TEST(slice.buffers().features.data() == rows.buffers().features.data() + 1);
  BOOST_TEST(slice.row(1).features[2] == 6u);
  BOOST_TEST(rows.slice(0, 2).buffers().indptr.data() == rows.buffers().indptr.data());
  BOOST_CHECK_THROW(rows.slice(2, 4), std::invalid_argument);
  BOOST_CHECK_THROW(rows.slice(2, 1), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_selection_shares_the_entries) {
  const Dataset rows = read("1 0:1:1\n0 0:2:1 1:3:1\n1 1:4:1 0:5:1 0:6:1");
  const std::array<Index, 4> order = {2, 0, 2, 0};
  const Dataset chosen = rows.take(order);
  BOOST_TEST(chosen.row(2).features == rows.row(2).features);
  BOOST_TEST(chosen.nnz() == 8);
  BOOST_TEST(chosen.max_row_nnz() == 3);
  BOOST_TEST(chosen.y(3) == 1);
  const Dataset again = chosen.slice(1, 4).take(std::array<Index, 2>{2, 1});
  BOOST_TEST(again.row(1).features == rows.row(2).features);
  BOOST_TEST(again.nnz() == 4);
  BOOST_TEST(same(again.packed(), read("1 0:1:1\n1 1:4:1 0:5:1 0:6:1")));
  BOOST_TEST(rows.packed().id() == rows.id());
  for (const Dataset& none : {chosen.slice(4, 4), chosen.take({}), rows.take({})}) {
    BOOST_TEST(!none.is_selection());
    BOOST_TEST(none.nnz() == 0);
  }
  for (const Index outside : {Index{-1}, Index{4}})
    BOOST_CHECK_THROW(chosen.take(std::array<Index, 1>{outside}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(selections_of_selections_keep_only_what_they_use) {
  auto targets = std::make_shared<std::vector<float>>(std::vector<float>{0, 1});
  std::weak_ptr<void> alive = targets;
  const Dataset rows = read("1 0:1:1\n0 0:2:1");
  const std::array<Index, 2> order = {1, 0};
  Dataset chosen = rows.take(order).with_targets(*targets, {}, targets);
  targets.reset();
  BOOST_TEST(!alive.expired());
  BOOST_TEST(chosen.y(1) == 1);
  chosen = chosen.take(order);
  BOOST_TEST(alive.expired());
  BOOST_TEST(chosen.y(0) == 1);
  BOOST_TEST(chosen.row(0).features[0] == 1u);
}

BOOST_AUTO_TEST_CASE(buffers_live_as_long_as_a_part_of_them) {
  auto owner = std::make_shared<std::vector<FeatureId>>(std::vector<FeatureId>{0, 1, 2, 3});
  std::weak_ptr<void> alive = owner;
  auto targets = std::make_shared<std::vector<float>>(std::vector<float>{0, 1});
  {
    auto rows = std::make_unique<Dataset>(DatasetBuffers{.indptr = {},
                                                         .features = *owner,
                                                         .fields = {},
                                                         .values = {},
                                                         .y = {},
                                                         .weight = {},
                                                         .n_rows = 2,
                                                         .n_features = 4,
                                                         .n_fields = 2,
                                                         .owner = owner});
    owner.reset();
    const Dataset slice = rows->with_targets(*targets, {}, targets).slice(1, 2);
    rows.reset();
    BOOST_TEST(!alive.expired());
    BOOST_TEST(slice.row(0).features[1] == 3u);
    BOOST_TEST(slice.y(0) == 1);
  }
  BOOST_TEST(alive.expired());
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int descriptor = ::mkstemp(path_.data());
    BOOST_REQUIRE(descriptor >= 0);
    BOOST_REQUIRE(::write(descriptor, text.data(), text.size()) ==
                  static_cast<ssize_t>(text.size()));
    ::close(descriptor);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/pyfm_test_XXXXXX";
};

BOOST_AUTO_TEST_CASE(a_mapped_file_ends_with_zeros) {
  for (const std::size_t size : {1, 4095, 4096, 65536, 70000}) {
    const TemporaryFile file(std::string(size, '7'));
    MappedFile mapped{File(file.path())};
    BOOST_TEST(mapped.text() == std::string(size, '7'));
    for (Index i = 0; i < MappedFile::kPadding; ++i)
      BOOST_REQUIRE(mapped.text().data()[static_cast<Index>(size) + i] == '\0');
  }
}

BOOST_AUTO_TEST_CASE(files_are_read_in_windows) {
  std::string text;
  while (text.size() < (std::size_t{20} << 20)) text += kText + "\n";
  const TemporaryFile file(text);
  TextReader reader("rows", TextFormat::libffm, 2);
  reader.read_file(file.path());
  const Dataset rows = reader.finish();
  BOOST_TEST(same(rows, read(text)));
  BOOST_CHECK_THROW(reader.read_file(file.path() + ".missing"), std::system_error);
  BOOST_CHECK_THROW(reader.read_file("/tmp"), std::system_error);
  reader.feed("1 0:1:1\n0 0:");  // the file goes on with the line
  reader.read_file(TemporaryFile("5:1").path());
  BOOST_TEST(reader.finish().row(1).features[0] == 5u);
}

BOOST_AUTO_TEST_CASE(reading_can_be_interrupted) {
  const TemporaryFile file(std::string(std::size_t{70} << 20, '\n'));
  TextReader reader("rows", TextFormat::libffm, 2);
  BOOST_CHECK_THROW(reader.read_file(file.path(), [] { throw std::runtime_error("Ctrl-C"); }),
                    std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
