// Threads that stay together for many short pieces of work.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>

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
  //
  // Thread t begins with pieces t, t + size(), …, and then helps the others: where pieces mean the
  // same memory from call to call, most of it stays in the caches of one processor.
  template <class F>
  void pieces(Index n, F&& body) {
    if (size_ == 1) {  // without a trace in the team, which several threads may use at a time
      for (Index i = 0; i < n; ++i) body(0, i);
      return;
    }
    detail::FirstError error;
    for (int t = 0; t < size_; ++t) next_[t].piece.store(t, std::memory_order_relaxed);
    const auto work = [&](int thread) noexcept {
      error.guard([&] {
        for (int t = 0; t < size_; ++t) {
          std::atomic<Index>& next = next_[(thread + t) % size_].piece;
          for (Index i; (i = next.fetch_add(size_, std::memory_order_relaxed)) < n;)
            body(thread, i);
        }
      });
    };
    if (n == 1)
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

  explicit Team(int n) : size_(n > 1 ? n : 1), next_(new Next[static_cast<std::size_t>(size_)]) {}
  void share(Work work, const void* what) noexcept;
  void follow(int thread) noexcept;
  void dismiss() noexcept;
  bool enter() noexcept;
  void leave() noexcept;

  struct alignas(64) Next {
    std::atomic<Index> piece{0};
  };
  const int size_;
  const std::unique_ptr<Next[]> next_;  // of each thread
  Work work_ = nullptr;
  const void* what_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> calls_{0};
  alignas(64) std::atomic<std::uint32_t> state_{0};  // kOpen + threads at work besides the leader
  std::atomic<bool> dismissed_{false};
};

}  // namespace pyfm
