// Where the gradients of a batch stand.
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "train/batch.h"

namespace pyfm {
namespace {

// Also when the numbers that it gives are used up.
BOOST_AUTO_TEST_CASE(a_gradient_map_forgets_between_batches) {
  constexpr Index n_rows = 50;
  for (const std::size_t n_threads : {1, 3}) {
    GradientMap map(n_rows, RowShares(n_threads), 100);
    std::mt19937 random(1);
    std::uint32_t largest = 0;
    for (int batch = 0; batch < 200; ++batch) {
      for (RowId r = 0; r < n_rows; ++r) BOOST_TEST(map[r] < map.first());
      const std::uint32_t n = random() % 40;
      std::map<RowId, std::uint32_t> numbers;
      for (std::uint32_t i = 0; i < n; ++i) {
        const RowId r = random() % n_rows;
        map[r] = map.first() + i;
        numbers[r] = i;
      }
      for (const auto& [r, number] : numbers) BOOST_TEST(map[r] - map.first() == number);
      map.forget(n);
      largest = std::max(largest, map.first());
    }
    BOOST_TEST(largest > 50);
    BOOST_TEST(largest <= 100);
  }
}

}  // namespace
}  // namespace pyfm
