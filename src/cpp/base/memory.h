// How much memory this process may still use.
#pragma once
#include "base/types.h"

namespace pyfm {

// Bytes: the smallest of what the machine, the control group and the address-space limit leave.
Index available_memory() noexcept;

}  // namespace pyfm
