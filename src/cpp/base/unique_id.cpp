#include "base/unique_id.h"

#include <atomic>

namespace pyfm {

std::uint64_t unique_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace pyfm
