// Parts of a text are parsed in any order and taken in theirs.
#include <boost/test/unit_test.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/parallel.h"
#include "data/part_queue.h"

namespace pyfm {
namespace {

BOOST_AUTO_TEST_SUITE(part_queue)

BOOST_AUTO_TEST_CASE(turns_come_in_order) {
  std::vector<TextBlock> blocks(3);
  PartQueue queue("a\nb\nc\n", 1, blocks);
  const auto first = queue.next(), second = queue.next(), third = queue.next();
  BOOST_TEST(first->text == "a\n");
  BOOST_TEST(third->text == "c\n");
  BOOST_TEST((first->result != second->result && second->result != third->result));
  queue.put(*third);
  BOOST_TEST(!queue.begin_turn());
  queue.put(*first);
  const auto turn = queue.begin_turn();
  BOOST_TEST(turn->number == 0);
  queue.put(*second);
  BOOST_TEST(!queue.begin_turn());  // somebody has it
  BOOST_TEST(queue.done() == 0);
  queue.end_turn(*turn);
  BOOST_TEST(queue.done() == 2);
  for (const Index number : {1, 2}) {
    const auto next = queue.begin_turn();
    BOOST_TEST(next->number == number);
    queue.end_turn(*next);
  }
  BOOST_TEST(!queue.begin_turn());
  BOOST_TEST(queue.done() == 6);
  BOOST_TEST(!queue.next());
}

// One block, which the first part has, and a thread that asks for another part.
struct OneBlock {
  std::vector<TextBlock> blocks = std::vector<TextBlock>(1);
  PartQueue queue{"a\nb\n", 1, blocks};
  std::optional<TextPart> first = queue.next(), second;
  std::thread waits{[this] { second = queue.next(); }};
};

BOOST_FIXTURE_TEST_CASE(no_more_parts_than_blocks, OneBlock) {
  queue.put(*first);
  queue.end_turn(*queue.begin_turn());
  waits.join();
  BOOST_TEST(second->number == 1);
  BOOST_TEST(second->result == first->result);
}

BOOST_FIXTURE_TEST_CASE(nobody_waits_after_a_stop, OneBlock) {
  queue.stop();
  waits.join();
  BOOST_TEST(!second);
  queue.put(*first);
  BOOST_TEST(!queue.begin_turn());
}

BOOST_AUTO_TEST_CASE(one_thread_needs_one_block) {
  std::vector<TextBlock> blocks(3);
  PartQueue queue("a\nb\nc\n", 1, blocks);
  std::set<TextBlock*> used;
  while (const auto part = queue.next()) {
    used.insert(part->result);
    queue.put(*part);
    queue.end_turn(*queue.begin_turn());
  }
  BOOST_TEST(used.size() == 1U);
  BOOST_TEST(queue.done() == 6);
}

BOOST_AUTO_TEST_CASE(many_threads_take_every_part_once) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + "\n";
  for (const std::size_t n_blocks : {1, 2, 7, 12}) {
    std::vector<TextBlock> blocks(n_blocks);
    PartQueue queue(text, 1, blocks);
    std::string found;
    parallel(4, [&](int) {
      while (const auto part = queue.next()) {
        queue.put(*part);
        while (const auto turn = queue.begin_turn()) {
          found += turn->text;
          queue.end_turn(*turn);
        }
      }
    });
    BOOST_TEST((found == text));
    BOOST_TEST(queue.done() == static_cast<Index>(text.size()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
