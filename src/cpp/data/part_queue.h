// Parts of a text, given out in order to several threads, whose results are taken in order: by one
// thread at a time, while the others go on with further parts.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "data/text_block.h"

namespace pyfm {

struct TextPart {
  std::string_view text;
  Index number;       // 0, 1, …
  Index end;          // bytes of the whole text up to the end of this part
  TextBlock* result;  // where its rows go
};

class PartQueue {
 public:
  // Parts are whole lines of at least `part_bytes` bytes together, except the last. As many are
  // under way at a time as there are `blocks`.
  PartQueue(std::string_view text, Index part_bytes, std::vector<TextBlock>& blocks);

  // The next part, once there is a block for it; none at the end or after `stop`.
  std::optional<TextPart> next();
  // Hands in what was parsed. Then whoever gets a part from `begin_turn` has its turn until
  // `end_turn`; it is none if another has it, or if the part that is next is still being parsed.
  void put(const TextPart& part);
  std::optional<TextPart> begin_turn();
  void end_turn(const TextPart& part);
  // Bytes of the text whose turn is over.
  Index done();
  // Ends the work of all threads.
  void stop();

 private:
  const std::string_view text_;
  const Index part_bytes_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<TextBlock*> free_;                 // the last one is the next to be given out
  std::vector<std::optional<TextPart>> parsed_;  // by number, modulo the number of blocks
  Index cut_ = 0;                                // bytes given out
  Index given_ = 0;                              // parts given out
  Index turn_ = 0;                               // parts whose turn is over
  Index done_ = 0;                               // their bytes
  bool taken_ = false;                           // whether a thread has its turn
  bool stopped_ = false;
};

}  // namespace pyfm
