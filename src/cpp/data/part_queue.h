// Parts of a text, given out in order to several threads that hand back their results in order.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/types.h"

namespace pyfm {

struct TextPart {
  std::string_view text;
  Index number;  // 0, 1, …
  Index end;     // bytes of the whole text up to the end of this part
};

class PartQueue {
 public:
  // Parts are whole lines of at least `part_bytes` bytes together, except the last.
  PartQueue(std::string_view text, Index part_bytes) : text_(text), part_bytes_(part_bytes) {}

  // The next part; none at the end or after `stop`.
  std::optional<TextPart> next();
  // Waits until `done` was called for all parts before this one; false after `stop`.
  bool wait_for_turn(const TextPart& part);
  void done();
  // Ends the work of all threads.
  void stop();

 private:
  const std::string_view text_;
  const Index part_bytes_;
  std::mutex mutex_;
  std::condition_variable turned_;
  Index cut_ = 0;    // bytes given out
  Index given_ = 0;  // parts given out
  Index done_ = 0;   // parts done
  bool stopped_ = false;
};

}  // namespace pyfm
