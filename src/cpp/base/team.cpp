#include "base/team.h"

#include <thread>

namespace pyfm {

namespace {

constexpr std::uint32_t kOpen = 1u << 31;  // the work may be joined

// Until `of` is something else. Most waits are short, and sleeping takes longer.
void wait_while(const std::atomic<std::uint32_t>& of, std::uint32_t value) noexcept {
  for (int i = 0; i < 50; ++i) {
    if (of.load(std::memory_order_acquire) != value) return;
    std::this_thread::yield();
  }
  of.wait(value, std::memory_order_acquire);
}

}  // namespace

Team& Team::alone() noexcept {
  static Team team(1);  // which is never written to
  return team;
}

void Team::share(Work work, const void* what) noexcept {
  work_ = work, what_ = what;
  state_.store(kOpen, std::memory_order_release);
  calls_.fetch_add(1, std::memory_order_release);
  calls_.notify_all();
  work(what, 0);
  for (std::uint32_t left = state_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen; left != 0;
       left = state_.load(std::memory_order_acquire))
    wait_while(state_, left);
}

void Team::follow(int thread) noexcept {
  for (std::uint32_t seen = 0;;) {
    wait_while(calls_, seen);
    seen = calls_.load(std::memory_order_acquire);
    if (dismissed_.load(std::memory_order_acquire)) return;
    if (!enter()) continue;
    work_(what_, thread);
    leave();
  }
}

void Team::dismiss() noexcept {
  dismissed_.store(true, std::memory_order_release);
  calls_.fetch_add(1, std::memory_order_release);
  calls_.notify_all();
}

// False where the work is done already.
bool Team::enter() noexcept {
  std::uint32_t state = state_.load(std::memory_order_acquire);
  while (state & kOpen)
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) return true;
  return false;
}

void Team::leave() noexcept {
  if (state_.fetch_sub(1, std::memory_order_acq_rel) == 1) state_.notify_one();
}

}  // namespace pyfm
