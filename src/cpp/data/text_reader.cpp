#include "data/text_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/part_queue.h"
#include "data/text_scan.h"

namespace pyfm {

namespace {

static_assert(MappedFile::kPadding >= kScanAhead);

constexpr Index kMinPartBytes = Index{16} << 10;
// More than one, so that nobody waits for a thread that is slow at the moment. A thread alone
// never touches but one, since what was given back last is given out first.
constexpr std::size_t kBlocksPerThread = 3;
constexpr Index kStreamBytes = Index{4} << 20;
constexpr Index kPollBytes = Index{64} << 20;

}  // namespace

TextReader::TextReader(std::string name, TextFormat format, int n_threads, Index part_bytes)
    : name_(std::move(name)),
      format_(format),
      n_threads_(resolve_threads(n_threads)),
      part_bytes_(part_bytes),
      blocks_(static_cast<std::size_t>(n_threads_) * kBlocksPerThread),
      rows_(format) {}

void TextReader::append(const TextBlock& block) {
  if (block.error)
    throw FormatError(name_, n_lines_ + block.error->line + 1, block.error->column,
                      block.error->message);
  rows_.append(block);
  n_lines_ += block.n_lines;
}

void TextReader::parse(std::string_view text, const std::function<void(Index)>& done) {
  const Index size = static_cast<Index>(text.size());
  const Index share = std::max((size + n_threads_ - 1) / n_threads_, kMinPartBytes);
  const Index part_bytes = std::min(part_bytes_, share);
  const Index n_parts = (size + part_bytes - 1) / part_bytes;
  const bool first_text = rows_.n_rows() == 0;
  PartQueue queue(text, part_bytes, blocks_);
  parallel(static_cast<int>(std::min<Index>(n_threads_, n_parts)), [&](int thread) {
    try {
      while (const std::optional<TextPart> part = queue.next()) {
        part->result->parse(part->text, format_);
        queue.put(*part);
        while (const std::optional<TextPart> first = queue.begin_turn()) {
          append(*first->result);
          if (first_text && first->number == 0)  // the rest will be much like the beginning
            rows_.reserve(1.05 * static_cast<double>(size) / static_cast<double>(first->end));
          queue.end_turn(*first);
        }
        if (thread == 0 && done) done(queue.done());
      }
    } catch (...) {
      queue.stop();
      throw;
    }
  });
}

void TextReader::feed(std::string_view block) {
  while (!block.empty()) {
    const std::string_view piece = block.substr(0, kStreamBytes);
    block.remove_prefix(piece.size());
    const std::size_t last = piece.rfind('\n');
    if (last == piece.npos) {
      pending_ += piece;
      continue;
    }
    pending_ += piece.substr(0, last + 1);
    parse_pending();
    pending_ = piece.substr(last + 1);
  }
}

void TextReader::parse_pending() {
  const std::size_t size = pending_.size();
  pending_.append(kScanAhead, '\0');
  parse(std::string_view(pending_).substr(0, size));
  pending_.clear();
}

void TextReader::read_file(const std::string& path, const std::function<void()>& poll) {
  File file(path);
  if (file.size() == 0 || !pending_.empty()) {  // a pipe, or to go on with a line that was fed
    std::vector<char> block(static_cast<std::size_t>(kStreamBytes));
    while (const Index got = file.read(block.data(), kStreamBytes)) {
      feed({block.data(), static_cast<std::size_t>(got)});
      if (poll) poll();
    }
    return;
  }
  MappedFile mapped(file);
  Index next_poll = kPollBytes;
  parse(mapped.text(), [&](Index bytes) {
    mapped.release(bytes);
    if (bytes < next_poll) return;
    next_poll = bytes + kPollBytes;
    if (poll) poll();
  });
}

void TextReader::end_text() {
  if (!pending_.empty()) parse_pending();
}

Dataset TextReader::finish() {
  end_text();
  if (rows_.n_rows() == 0)
    throw FormatError(name_, 1, 1,
                      "expected at least one row, 'label field:feature:value …' or "
                      "'label feature:value …', found none");
  n_lines_ = 0;
  return rows_.finish();
}

}  // namespace pyfm
