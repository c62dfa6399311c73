#include "data/part_queue.h"

#include <algorithm>

namespace pyfm {

std::optional<TextPart> PartQueue::next() {
  const std::lock_guard lock(mutex_);
  const Index size = static_cast<Index>(text_.size());
  if (stopped_ || cut_ == size) return std::nullopt;
  const Index begin = cut_;
  cut_ = size;
  if (begin + part_bytes_ < size) {
    const auto end = text_.find('\n', static_cast<std::size_t>(begin + part_bytes_ - 1));
    if (end != text_.npos) cut_ = static_cast<Index>(end) + 1;
  }
  return TextPart{
      text_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(cut_ - begin)),
      given_++, cut_};
}

bool PartQueue::wait_for_turn(const TextPart& part) {
  std::unique_lock lock(mutex_);
  turned_.wait(lock, [&] { return stopped_ || done_ == part.number; });
  return !stopped_;
}

void PartQueue::done() {
  {
    const std::lock_guard lock(mutex_);
    ++done_;
  }
  turned_.notify_all();
}

void PartQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  turned_.notify_all();
}

}  // namespace pyfm
