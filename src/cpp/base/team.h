// Threads that stay together for many short pieces of work.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/parallel.h"
#include "base/types.h"

namespace pyfm {

// One thread leads; the others take part in its work as soon as they can and wait in between. The
// leader waits for nobody who has not begun: where there are more threads than processors, those
// that run do the work.
class Team {
 public:
  // lead(team) on the calling thread, in the company of up to n - 1 others. The first exception of
  // any is rethrown here.
  template <class F>
  static void run(int n, F&& lead) {
    Team team(n);
    parallel(n, [&](int thread) {
      if (thread != 0) return team.follow(thread);
      const Dismissal at_the_end{team};
      lead(team);
    });
  }

  // A team of the calling thread, whichever that is.
  static Team& alone() noexcept;

  // Threads that work together, at most.
  int size() const noexcept { return size_; }

  // Pieces 0 … n - 1, each by one of the threads: body(thread, piece). By the leader only. The
  // first exception is rethrown here after all threads have ended.
  template <class F>
  void pieces(Index n, F&& body) {
    detail::FirstError error;
    std::atomic<Index> next{0};
    const auto work = [&](int thread) noexcept {
      error.guard([&] {
        for (Index i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) body(thread, i);
      });
    };
    if (size_ == 1 || n == 1)
      work(0);
    else
      share([](const void* what, int thread) { (*static_cast<decltype(work)*>(what))(thread); },
            &work);
    error.rethrow();
  }

 private:
  using Work = void (*)(const void* what, int thread);
  struct Dismissal {
    Team& team;
    ~Dismissal() { team.dismiss(); }
  };

  explicit Team(int n) noexcept : size_(n > 1 ? n : 1) {}
  void share(Work work, const void* what) noexcept;
  void follow(int thread) noexcept;
  void dismiss() noexcept;
  bool enter() noexcept;
  void leave() noexcept;

  const int size_;
  Work work_ = nullptr;
  const void* what_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> calls_{0};
  alignas(64) std::atomic<std::uint32_t> state_{0};  // kOpen + threads at work besides the leader
  std::atomic<bool> dismissed_{false};
};

}  // namespace pyfm
