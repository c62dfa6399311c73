#include "data/part_queue.h"

#include <utility>

namespace pyfm {

PartQueue::PartQueue(std::string_view text, Index part_bytes, std::vector<TextBlock>& blocks)
    : text_(text), part_bytes_(part_bytes), parsed_(blocks.size()) {
  for (TextBlock& block : blocks) free_.push_back(&block);
}

std::optional<TextPart> PartQueue::next() {
  std::unique_lock lock(mutex_);
  const Index size = static_cast<Index>(text_.size());
  freed_.wait(lock, [&] { return stopped_ || cut_ == size || !free_.empty(); });
  if (stopped_ || cut_ == size) return std::nullopt;
  const Index begin = cut_;
  cut_ = size;
  if (begin + part_bytes_ < size) {
    const auto end = text_.find('\n', static_cast<std::size_t>(begin + part_bytes_ - 1));
    if (end != text_.npos) cut_ = static_cast<Index>(end) + 1;
  }
  TextBlock* const block = free_.back();
  free_.pop_back();
  return TextPart{
      text_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(cut_ - begin)),
      given_++, cut_, block};
}

void PartQueue::put(const TextPart& part) {
  const std::lock_guard lock(mutex_);
  parsed_[static_cast<std::size_t>(part.number) % parsed_.size()] = part;
}

std::optional<TextPart> PartQueue::begin_turn() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || taken_) return std::nullopt;
  auto& part = parsed_[static_cast<std::size_t>(turn_) % parsed_.size()];
  taken_ = part.has_value();
  return std::exchange(part, std::nullopt);
}

void PartQueue::end_turn(const TextPart& part) {
  {
    const std::lock_guard lock(mutex_);
    taken_ = false;
    ++turn_;
    done_ = part.end;
    free_.push_back(part.result);
  }
  freed_.notify_all();
}

Index PartQueue::done() {
  const std::lock_guard lock(mutex_);
  return done_;
}

void PartQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  freed_.notify_all();
}

}  // namespace pyfm
