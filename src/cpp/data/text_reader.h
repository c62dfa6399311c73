// Text to data set: a file is mapped, a stream is fed in blocks of any size. The text is cut at
// line ends into parts; each thread parses one at a time, and their rows are appended in order.
// The result does not depend on the number of threads or on how the text was cut.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset_builder.h"
#include "data/text_block.h"

namespace pyfm {

// One row per line. Blank lines are skipped and a '#' starts a comment. Errors are FormatError;
// of several in a file, the first. After an error the reader must not be used any further.
class TextReader {
 public:
  // `name` stands for the text in messages. Bytes of text that a thread parses at a time: enough
  // to hide the cost of starting it, few enough to stay in its caches.
  static constexpr Index kPartBytes = Index{512} << 10;
  TextReader(std::string name, TextFormat format, int n_threads, Index part_bytes = kPartBytes);

  void feed(std::string_view block);
  // Now and then calls `poll`, which may throw to end the reading.
  void read_file(const std::string& path, const std::function<void()>& poll = {});
  // The rows of all text so far, at least one. The reader starts afresh.
  Dataset finish();

  // For text that is not held whole: the rows that are complete, of which there may be none, and
  // the text goes on. At its end, `end_text` completes the last row.
  Index n_rows() const noexcept { return rows_.n_rows(); }
  Dataset take() { return rows_.finish(); }
  void end_text();
  // Where these rows end: lines, and bytes that were fed after them. Another reader that is told
  // of the lines goes on there.
  Index n_lines() const noexcept { return n_lines_; }
  Index n_pending() const noexcept { return static_cast<Index>(pending_.size()); }
  void skip_lines(Index n) noexcept { n_lines_ += n; }

 private:
  // Parses whole lines, of which only the last may lack its end. `done` is told now and then, on
  // the calling thread, how many bytes of the text will not be looked at again.
  void parse(std::string_view text, const std::function<void(Index)>& done = {});
  void append(const TextBlock& block);
  void parse_pending();

  std::string name_;
  TextFormat format_;
  int n_threads_;
  Index part_bytes_;
  Index n_lines_ = 0;
  std::string pending_;  // text that was fed after the last line end
  std::vector<TextBlock> blocks_;
  DatasetBuilder rows_;
};

}  // namespace pyfm
