#include "base/parallel.h"

#include <atomic>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif

namespace pyfm {

namespace {

std::atomic<bool> in_child{false};

#if defined(__unix__) || defined(__APPLE__)
[[maybe_unused]] const int fork_handler =
    pthread_atfork(nullptr, nullptr, [] { in_child.store(true, std::memory_order_relaxed); });
#endif

}  // namespace

bool forked() noexcept {
  return in_child.load(std::memory_order_relaxed);
}

int resolve_threads(int n) noexcept {
  if (n > 0) return n;
#ifdef __linux__
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  const unsigned found = std::thread::hardware_concurrency();
  return found ? static_cast<int>(found) : 1;
}

int max_threads() noexcept {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return resolve_threads(0);
#endif
}

}  // namespace pyfm
