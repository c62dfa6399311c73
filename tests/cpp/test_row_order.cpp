// The order in which an epoch takes the rows.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "train/row_order.h"

namespace pyfm {
namespace {

std::vector<Index> order_of(Index n_rows, Index epoch, bool shuffle = true) {
  EpochOptions options;
  options.epoch = epoch;
  options.shuffle = shuffle;
  const Array<Index> order = row_order(n_rows, 7, options);
  return {order.data(), order.data() + n_rows};
}

std::vector<Index> in_order(Index n_rows) {
  std::vector<Index> rows(static_cast<std::size_t>(n_rows));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

BOOST_AUTO_TEST_SUITE(row_orders)

// Of one window, of some, of one that is not full, with and without whole tiles.
constexpr Index kSizes[] = {0, 1, 2, 15, 16, 17, 16'384, 16'385, 32'768, 100'003};

BOOST_AUTO_TEST_CASE(every_row_once) {
  for (const Index n_rows : kSizes)
    for (const Index epoch : {0, 1}) {
      std::vector<Index> order = order_of(n_rows, epoch);
      std::ranges::sort(order);
      BOOST_TEST((order == in_order(n_rows)), n_rows << " rows");
    }
}

BOOST_AUTO_TEST_CASE(an_epoch_has_its_own_order) {
  for (const Index n_rows : kSizes) {
    BOOST_TEST((order_of(n_rows, 3) == order_of(n_rows, 3)));
    BOOST_TEST((order_of(n_rows, 3, false) == in_order(n_rows)));
    if (n_rows > 2) BOOST_TEST((order_of(n_rows, 3) != order_of(n_rows, 4)), n_rows << " rows");
  }
}

// Any thousand rows in succession come from everywhere: the share of each tenth of the file is
// within six standard deviations of that of independent draws.
BOOST_AUTO_TEST_CASE(neighbours_in_the_file_are_spread) {
  constexpr Index size = 1000;
  for (const Index n_rows : {16'000, 17'000, 100'003, 1'000'000}) {
    const std::vector<Index> order = order_of(n_rows, 0);
    for (Index begin = 0; begin + size <= n_rows; begin += size) {
      std::vector<Index> tenths(10);
      for (Index i = begin; i < begin + size; ++i)
        ++tenths[static_cast<std::size_t>(order[static_cast<std::size_t>(i)] * 10 / n_rows)];
      for (const Index count : tenths) BOOST_REQUIRE(std::abs(count - 100) < 6 * 9.5);
    }
  }
}

// The place of a row tells nothing about where it goes, nor do two epochs about each other.
BOOST_AUTO_TEST_CASE(places_are_independent) {
  const auto correlation = [](const std::vector<Index>& a, const std::vector<Index>& b) {
    const auto n = static_cast<double>(a.size());
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += (static_cast<double>(a[i]) / n - 0.5) * (static_cast<double>(b[i]) / n - 0.5);
    return 12 * sum / n;
  };
  // Independent windows of tiles: the correlation's standard deviation is that of 100,000 / 16 of
  // them, 0.013.
  const std::vector<Index> first = order_of(100'003, 0), second = order_of(100'003, 1);
  BOOST_TEST(std::abs(correlation(first, in_order(100'003))) < 0.05);
  BOOST_TEST(std::abs(correlation(first, second)) < 0.05);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
