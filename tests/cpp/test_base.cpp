// Arrays, threads, errors and random numbers.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "base/array.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/find.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/team.h"

namespace pyfm {
namespace {

constexpr Index kHuge = Index{3} << 18;  // floats in three megabytes: more than one huge page

BOOST_AUTO_TEST_SUITE(base)

BOOST_AUTO_TEST_CASE(an_array_starts_zero_and_aligned) {
  for (const Index size : {Index{1}, Index{1000}, kHuge}) {
    Array<float> a(size);
    BOOST_TEST(a.size() == size);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0u);
    BOOST_TEST(a[0] == 0);
    BOOST_TEST(a[size - 1] == 0);
  }
}

BOOST_AUTO_TEST_CASE(an_empty_array_holds_no_memory) {
  Array<int> a;
  BOOST_TEST(a.empty());
  BOOST_TEST(a.data() == nullptr);
  BOOST_TEST(Array<int>(0).view().empty());
}

BOOST_AUTO_TEST_CASE(growing_keeps_the_content_and_adds_zeros) {
  Array<Index> a;
  for (Index i = 0; i < kHuge; ++i) {  // from one page over many to huge pages
    a.resize(i + 1);
    a[i] = i;
  }
  Index wrong = 0;
  for (Index i = 0; i < kHuge; ++i) wrong += a[i] != i;
  BOOST_TEST(wrong == 0);
  a.resize(2 * kHuge);
  BOOST_TEST(a[2 * kHuge - 1] == 0);
  BOOST_TEST(a[kHuge - 1] == kHuge - 1);
}

BOOST_AUTO_TEST_CASE(moving_hands_the_memory_over) {
  Array<int> a(10);
  a[3] = 7;
  const int* data = a.data();
  Array<int> b(std::move(a));
  BOOST_TEST(b.data() == data);
  Array<int> c(5);
  c = std::move(b);
  BOOST_TEST(c.data() == data);
  BOOST_TEST(c[3] == 7);
}

BOOST_AUTO_TEST_CASE(memory_that_the_system_refuses_is_an_exception) {
  BOOST_CHECK_THROW(Array<char>(Index{1} << 60), OutOfMemory);
}

BOOST_AUTO_TEST_CASE(some_memory_is_available) {
  BOOST_TEST(available_memory() > Index{1} << 20);
}

BOOST_AUTO_TEST_CASE(every_part_runs_once) {
  for (const int n : {1, 2, 3, 17}) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(n));
    parallel(n, [&](int part) { ++runs[static_cast<std::size_t>(part)]; });
    for (const auto& count : runs) BOOST_TEST(count == 1);
  }
}

BOOST_AUTO_TEST_CASE(an_exception_of_any_thread_arrives_after_all_have_ended) {
  for (const int n : {1, 4})
    for (int bad = 0; bad < n; ++bad) {
      std::atomic<int> ended{0};
      const auto body = [&](int part) {
        if (part == bad) throw std::runtime_error("part failed");
        ++ended;
      };
      BOOST_CHECK_THROW(parallel(n, body), std::runtime_error);
      BOOST_TEST(ended == n - 1);
    }
}

// Many calls, some too short for all threads to hear of.
BOOST_AUTO_TEST_CASE(a_team_works_on_every_piece_once) {
  for (const int n : {1, 2, 3, 8})
    Team::run(n, [&](Team& team) {
      BOOST_TEST(team.size() == n);
      for (int call = 0; call < 200; ++call) {
        const Index n_pieces = call % 7;
        std::vector<int> runs(static_cast<std::size_t>(n_pieces));
        std::atomic<bool> known_threads{true};
        team.pieces(n_pieces, [&](int thread, Index piece) {
          if (thread < 0 || thread >= n) known_threads = false;
          ++runs[static_cast<std::size_t>(piece)];
        });
        BOOST_TEST(known_threads);
        for (const int count : runs) BOOST_TEST(count == 1);
      }
    });
}

BOOST_AUTO_TEST_CASE(several_threads_use_the_team_of_one) {
  std::array<Index, 4> next{};
  parallel(4, [&](int caller) {
    Index& expected = next[static_cast<std::size_t>(caller)];
    for (int call = 0; call < 1000; ++call)
      Team::alone().pieces(3, [&](int thread, Index piece) {
        if (thread == 0 && piece == expected % 3) ++expected;
      });
  });
  for (const Index n : next) BOOST_TEST(n == 3000);
}

BOOST_AUTO_TEST_CASE(threads_of_a_team_work_at_the_same_time) {
  Team::run(2, [](Team& team) {
    std::atomic<int> begun{0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    team.pieces(2, [&](int, Index) {  // each waits for the other
      ++begun;
      while (begun < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    });
    BOOST_TEST(begun == 2);
    BOOST_TEST((std::chrono::steady_clock::now() < deadline));
  });
}

BOOST_AUTO_TEST_CASE(a_team_survives_exceptions) {
  for (const int n : {1, 4}) {
    const auto fail = [](int, Index piece) {
      if (piece == 2) throw std::runtime_error("piece failed");
    };
    std::atomic<int> done{0};
    Team::run(n, [&](Team& team) {
      BOOST_CHECK_THROW(team.pieces(9, fail), std::runtime_error);
      team.pieces(9, [&](int, Index) { ++done; });
    });
    BOOST_TEST(done == 9);
    BOOST_CHECK_THROW(Team::run(n, [&](Team& team) { team.pieces(9, fail); }), std::runtime_error);
  }
}

// OpenMP ends threads that earlier tests needed. Locks of the address sanitizer that one of them
// holds at a fork stay locked in the child.
void wait_for_ending_threads(std::ptrdiff_t n_left) {
  const auto n_threads = [] {
    using Threads = std::filesystem::directory_iterator;
    return std::distance(Threads("/proc/self/task"), Threads());
  };
  if (!std::filesystem::exists("/proc/self/task")) return;
  for (int i = 0; i < 100 && n_threads() > n_left; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

BOOST_AUTO_TEST_CASE(threads_work_in_a_forked_child) {
  parallel(2, [](int) {});  // the parent has threads, which the child does not inherit
  wait_for_ending_threads(2);
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> sum{0};
    parallel(3, [&](int part) { sum += part; });
    _exit(forked() && sum == 3 ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
  BOOST_TEST(!forked());
}

BOOST_AUTO_TEST_CASE(a_request_for_threads_is_taken_at_its_word) {
  BOOST_TEST(resolve_threads(5) == 5);
  BOOST_TEST(resolve_threads(0) >= 1);
  BOOST_TEST(resolve_threads(-1) == resolve_threads(0));
}

BOOST_AUTO_TEST_CASE(a_format_error_says_where) {
  const FormatError error("rows.ffm", 12, 7, "expected ':'");
  BOOST_TEST(std::string(error.what()) == "rows.ffm:12:7: expected ':'");
}

BOOST_AUTO_TEST_CASE(a_wrong_name_lists_the_right_ones) {
  struct Named {
    std::string_view name;
  };
  const std::vector<Named> list = {{"one"}, {"two"}};
  BOOST_TEST(&find_named(list, "number", "two") == &list[1]);
  BOOST_CHECK_EXCEPTION(
      find_named(list, "number", "six"), std::invalid_argument, [](const std::invalid_argument& e) {
        return std::string(e.what()) == "number: expected one of 'one', 'two', found 'six'";
      });
}

BOOST_AUTO_TEST_CASE(uniform_numbers_fill_the_unit_interval_evenly) {
  constexpr int n = 1 << 16;
  double sum = 0, squares = 0;
  std::set<float> different;
  for (std::uint32_t i = 0; i < n; ++i) {
    const float x = random_uniform(random_key(1, 2), i);
    BOOST_REQUIRE(x >= 0);
    BOOST_REQUIRE(x < 1);
    sum += x, squares += static_cast<double>(x) * x;
    different.insert(x);
  }
  // Standard deviations of the means: 1 / √(12 n) = 0.0011 and √(4 / (45 n)) = 0.0012.
  BOOST_TEST(std::abs(sum / n - 1.0 / 2) < 0.005);
  BOOST_TEST(std::abs(squares / n - 1.0 / 3) < 0.005);
  BOOST_TEST(different.size() > n - 300u);  // 2^24 values: about n² / 2^25 = 128 collisions
}

BOOST_AUTO_TEST_CASE(random_numbers_are_pure_functions_that_differ_by_key) {
  BOOST_TEST(random_uniform(random_key(5, 6), 7) == random_uniform(random_key(5, 6), 7));
  BOOST_TEST(random_key(5, 6) != random_key(6, 5));
  int same = 0;
  for (std::uint32_t i = 0; i < 1000; ++i)
    same += random_uniform(random_key(5, 6), i) == random_uniform(random_key(5, 7), i);
  BOOST_TEST(same < 3);
}

BOOST_AUTO_TEST_CASE(random_indices_are_in_range_and_reach_all_of_it) {
  std::set<std::uint64_t> met;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t x = random_below(42, i, 10);
    BOOST_REQUIRE(x < 10);
    met.insert(x);
  }
  BOOST_TEST(met.size() == 10u);
  BOOST_TEST(random_below(42, 0, 1) == 0u);
}

BOOST_AUTO_TEST_CASE(a_checksum_sees_every_change) {
  std::vector<std::byte> bytes(200);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37);
  std::set<std::uint64_t> sums{checksum(bytes)};
  for (std::byte& byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      byte ^= std::byte{1} << bit;
      sums.insert(checksum(bytes));
      byte ^= std::byte{1} << bit;
    }
  for (std::size_t i = 8; i < bytes.size(); ++i) {  // words change places, with far ones and near
    std::swap(bytes[i], bytes[i - 8]);
    sums.insert(checksum(bytes));
    std::swap(bytes[i], bytes[i - 8]);
  }
  for (std::size_t size = 1; size < 65; ++size)
    sums.insert(checksum(std::span(bytes).subspan(64, size)));
  BOOST_TEST(sums.size() == 1 + 8 * bytes.size() + (bytes.size() - 8) + 64);
}

BOOST_AUTO_TEST_CASE(a_checksum_sees_pairs_of_flipped_bits) {
  // In the words of two blocks that share a lane, where one flip could undo the other.
  std::vector<std::uint64_t> words(24);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = mix64(i);
  std::set<std::uint64_t> sums{checksum(std::as_bytes(std::span(words)))};
  for (int first = 0; first < 64; ++first)
    for (int second = 0; second < 64; ++second) {
      words[0] ^= std::uint64_t{1} << first;
      words[8] ^= std::uint64_t{1} << second;
      sums.insert(checksum(std::as_bytes(std::span(words))));
      words[0] ^= std::uint64_t{1} << first;
      words[8] ^= std::uint64_t{1} << second;
    }
  BOOST_TEST(sums.size() == 1u + 64 * 64);
}

BOOST_AUTO_TEST_CASE(a_checksum_of_pieces_is_that_of_the_whole) {
  std::vector<std::byte> bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7);
  for (const std::size_t piece : {1, 7, 63, 64, 65, 128, 300}) {
    Checksum sum;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::size_t end = std::min(at + piece, bytes.size());
      sum.add(std::span(bytes).subspan(at, end - at));
      sum.add({});
      BOOST_TEST(sum.value() == checksum(std::span(bytes).first(end)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_checksum_takes_what_is_missing_in_64_bytes_as_zeros) {
  std::vector<std::byte> bytes(64 + 7, std::byte{9});
  const std::uint64_t sum = checksum(bytes);
  BOOST_TEST(sum == 0xdc0fd5252ff628c3u);  // the same on every machine, from now on
  bytes.resize(128);
  BOOST_TEST(checksum(bytes) == sum);
  bytes.resize(129);
  BOOST_TEST(checksum(bytes) != sum);
  BOOST_TEST(checksum({}) != checksum(std::span(bytes).first(1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
