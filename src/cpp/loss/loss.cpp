#include "loss/loss.h"

#include "base/find.h"
#include "loss/logistic.h"
#include "loss/squared.h"

namespace pyfm {

namespace {
constexpr Loss kLosses[] = {kLogistic, kSquared};
}

std::span<const Loss> losses() noexcept {
  return kLosses;
}
const Loss& find_loss(std::string_view name) {
  return find_named(losses(), "loss", name);
}

}  // namespace pyfm
