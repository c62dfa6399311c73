// Memory that is needed soon, asked for in time.
#pragma once

namespace pyfm {

// The line is on its way while other work is done. Into the second cache: of requests that are to
// fill the first one a core has fewer on their way at a time, and from there it is not far.
//
// Inlined always: GCC takes a function that does nothing else for one without effect and drops it.
[[gnu::always_inline]] inline void fetch(const void* line) noexcept {
  __builtin_prefetch(line, 0, 2);
}
[[gnu::always_inline]] inline void fetch_to_write(const void* line) noexcept {
  __builtin_prefetch(line, 1, 2);
}

}  // namespace pyfm
