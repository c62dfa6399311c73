#include "data/text_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/text_scan.h"

namespace pyfm {

namespace {

static_assert(MappedFile::kPadding >= kScanAhead);

constexpr Index kMinPartBytes = Index{16} << 10;
constexpr Index kStreamBytes = Index{4} << 20;
constexpr Index kPollBytes = Index{64} << 20;

// Size of the lines that cover the first `bytes` bytes of the text.
Index whole_lines(std::string_view text, Index bytes) {
  if (bytes >= static_cast<Index>(text.size())) return static_cast<Index>(text.size());
  const std::size_t end = text.find('\n', static_cast<std::size_t>(bytes) - 1);
  return static_cast<Index>(end == text.npos ? text.size() : end + 1);
}

}  // namespace

TextReader::TextReader(std::string name, TextFormat format, int n_threads, Index part_bytes)
    : name_(std::move(name)),
      format_(format),
      n_threads_(resolve_threads(n_threads)),
      part_bytes_(part_bytes),
      blocks_(static_cast<std::size_t>(n_threads_)),
      rows_(format) {}

Index TextReader::parse_window(std::string_view text) {
  const Index share = (static_cast<Index>(text.size()) + n_threads_ - 1) / n_threads_;
  const Index bytes = std::min(part_bytes_, std::max(share, kMinPartBytes));
  std::vector<std::string_view> parts;
  Index size = 0;
  for (int i = 0; i < n_threads_ && !text.empty(); ++i) {
    parts.push_back(text.substr(0, static_cast<std::size_t>(whole_lines(text, bytes))));
    text.remove_prefix(parts.back().size());
    size += static_cast<Index>(parts.back().size());
  }
  parallel(static_cast<int>(parts.size()), [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    blocks_[at].parse(parts[at], format_);
  });
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const TextBlock& block = blocks_[i];
    if (block.error)
      throw FormatError(name_, n_lines_ + block.error->line + 1, block.error->column,
                        block.error->message);
    rows_.append(block);
    n_lines_ += block.n_lines;
  }
  return size;
}

void TextReader::parse_all(std::string_view text) {
  while (!text.empty()) text.remove_prefix(static_cast<std::size_t>(parse_window(text)));
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
    const std::size_t size = pending_.size();
    pending_.append(kScanAhead, '\0');
    parse_all(std::string_view(pending_).substr(0, size));
    pending_ = piece.substr(last + 1);
  }
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
  const Index size = file.size();
  Index next_poll = kPollBytes;
  for (Index at = 0; at < size;) {
    const bool first = at == 0;
    at += parse_window(mapped.text().substr(static_cast<std::size_t>(at)));
    mapped.release(at);
    if (first && at < size)  // the rest will be much like the beginning
      rows_.reserve(1.05 * static_cast<double>(size) / static_cast<double>(at));
    if (at < next_poll) continue;
    next_poll = at + kPollBytes;
    if (poll) poll();
  }
}

Dataset TextReader::finish() {
  if (!pending_.empty()) {
    const std::size_t size = pending_.size();
    pending_.append(kScanAhead, '\0');
    parse_all(std::string_view(pending_).substr(0, size));
    pending_.clear();
  }
  if (rows_.n_rows() == 0)
    throw FormatError(name_, 1, 1,
                      "expected at least one row, 'label field:feature:value …' or "
                      "'label feature:value …', found none");
  n_lines_ = 0;
  return rows_.finish();
}

}  // namespace pyfm
