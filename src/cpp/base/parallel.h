// Threads: the only OpenMP of the library. It lives in base/ because the text reader needs it too.
#pragma once
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace pyfm {

// Threads to use for a request: n > 0 is taken as it is, anything else means all processors that
// this process may run on.
int resolve_threads(int n) noexcept;

// What OpenMP would use, which its users limit (OMP_NUM_THREADS and the like).
int max_threads() noexcept;

// True in a child of fork(): the parent's OpenMP threads do not exist there and waiting for them
// would hang, so plain threads do the work.
bool forked() noexcept;

namespace detail {

// Keeps the first exception of several threads, so that it leaves the parallel region.
class FirstError {
 public:
  template <class F>
  void guard(F&& body) noexcept {
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace detail

// body(0) … body(n - 1), each on a thread of its own; body(0) runs on the calling thread.
// The first exception is rethrown here after all have ended.
template <class F>
void parallel(int n, F&& body) {
  if (n <= 1) return body(0);
  detail::FirstError error;
#ifdef _OPENMP
  if (!forked()) {
    // A runtime short of threads may grant fewer than asked for: the loop still covers every part.
#pragma omp parallel num_threads(n)
    for (int part = omp_get_thread_num(); part < n; part += omp_get_num_threads())
      error.guard([&] { body(part); });
    return error.rethrow();
  }
#endif
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(n - 1));
  error.guard([&] {
    for (int part = 1; part < n; ++part)
      threads.emplace_back([&, part] { error.guard([&] { body(part); }); });
    error.guard([&] { body(0); });
  });
  for (std::thread& thread : threads) thread.join();
  error.rethrow();
}

}  // namespace pyfm
