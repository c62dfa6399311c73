// Gradients that are summed within blocks, and rows that a batch touches once.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "train/block_sums.h"
#include "train/repeated_rows.h"

namespace pyfm {
namespace {

using Rows = std::vector<RowId>;

// Examples of rows of which some are frequent, and some share their last bits.
std::vector<Rows> examples(std::size_t n, std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::geometric_distribution<std::uint32_t> frequent(0.05);
  std::vector<Rows> all(n);
  for (Rows& rows : all)
    for (std::size_t e = 0; e < size; ++e)
      rows.push_back(1 + (e % 3 == 0 ? 1024 * (random() % 5000) : frequent(random)));
  return all;
}

RepeatedRows counted(const std::vector<Rows>& all, std::size_t n_threads) {
  RepeatedRows repeated(n_threads);
  repeated.begin(static_cast<Index>(all.size() * all.front().size()));
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const RowId r : all[i]) repeated.count(i % n_threads, r);
  repeated.end();
  return repeated;
}

std::map<RowId, int> times(const std::vector<Rows>& all) {
  std::map<RowId, int> of;
  for (const Rows& rows : all)
    for (const RowId r : rows) ++of[r];
  return of;
}

BOOST_AUTO_TEST_CASE(a_row_that_is_touched_again_is_never_single) {
  for (const std::size_t n_threads : {1, 3})
    for (const std::size_t n : {1, 7, 1000}) {
      const std::vector<Rows> all = examples(n, 12, 3);
      const RepeatedRows repeated = counted(all, n_threads);
      int n_once = 0, n_found = 0;
      for (const auto& [row, count] : times(all)) {
        BOOST_TEST((count == 1 || !repeated.is_single(row)));
        n_once += count == 1;
        n_found += repeated.is_single(row);
      }
      BOOST_TEST(n_once > 0);
      BOOST_TEST(n_found >= 0.7 * n_once);  // others are taken for rows with the same hash
    }
}

BOOST_AUTO_TEST_CASE(counts_begin_anew_with_every_batch) {
  RepeatedRows repeated(1);
  repeated.begin(4);
  repeated.count(0, 5), repeated.count(0, 5);
  repeated.end();
  BOOST_TEST(!repeated.is_single(5));
  repeated.begin(4);
  repeated.count(0, 5);
  repeated.end();
  BOOST_TEST(repeated.is_single(5));
}

// Every entry adds its number to its place: sums are those of a map, singles those of the entry.
void check_places(RowShares shares, bool with_singles) {
  const std::vector<Index> widths = {1, 3};
  const std::vector<Rows> all = examples(300, 9, 4);
  const RepeatedRows repeated = counted(all, 1);
  BlockSums block(widths, shares);
  for (const std::size_t n_examples : {300, 20}) {  // the second time memory has been used before
    block.clear();
    block.take_placed();
    std::map<RowId, std::vector<float>> expected;
    std::size_t n_singles = 0;
    for (std::size_t i = 0; i < n_examples; ++i) {
      const Rows& rows = all[i];
      block.place(rows.data(), static_cast<int>(rows.size()), with_singles ? &repeated : nullptr);
      const auto is_single = [&](RowId r) { return with_singles && repeated.is_single(r); };
      n_singles += static_cast<std::size_t>(std::ranges::count_if(rows, is_single));
      BOOST_TEST(block.single_rows().size() ==
                 static_cast<std::size_t>(std::ranges::count_if(rows, is_single)));
      for (std::size_t p = 0; p < widths.size(); ++p) {
        float* const* to = block.addresses(p);
        for (std::size_t e = 0; e < rows.size(); ++e)
          for (Index d = 0; d < widths[p]; ++d)
            to[e][d] += static_cast<float>(i + 10 * e + 100 * static_cast<std::size_t>(d));
      }
      for (std::size_t e = 0, s = 0; e < rows.size(); ++e) {
        const auto added = [&](Index d) {
          return static_cast<float>(i + 10 * e + 100 * static_cast<std::size_t>(d));
        };
        if (is_single(rows[e])) {
          BOOST_TEST(block.single_rows()[s] == rows[e]);
          for (std::size_t p = 0; p < widths.size(); ++p)
            for (Index d = 0; d < widths[p]; ++d)
              BOOST_TEST(block.singles(p)[static_cast<Index>(s) * widths[p] + d] == added(d));
          ++s;
        } else {
          std::vector<float>& sum = expected[rows[e]];
          sum.resize(3);
          for (Index d = 0; d < 3; ++d) sum[static_cast<std::size_t>(d)] += added(d);
        }
      }
    }
    BOOST_TEST((n_singles > 0) == with_singles);
    const BlockSums::Placed placed = block.take_placed();
    BOOST_TEST(placed.entries == 9 * n_examples);
    BOOST_TEST(placed.singles == n_singles);

    block.sort();
    BOOST_TEST(block.n_rows() == expected.size());
    std::set<RowId> seen;
    for (std::size_t share = 0; share < shares.size(); ++share) {
      std::uint32_t last = 0;
      for (const RowSum& r : block.of_share(share)) {
        BOOST_TEST(shares.of(r.row) == share);
        BOOST_TEST((r.number >= last && seen.insert(r.row).second));
        last = r.number;
        for (std::size_t p = 0; p < widths.size(); ++p)
          for (Index d = 0; d < widths[p]; ++d)
            BOOST_TEST(block.sums(p)[Index{r.number} * widths[p] + d] ==
                       expected.at(r.row)[static_cast<std::size_t>(d)]);
      }
    }
    BOOST_TEST(seen.size() == expected.size());
  }
}

BOOST_AUTO_TEST_CASE(sums_are_those_of_a_map) {
  for (const std::size_t n_threads : {1, 2, 20})
    for (const bool with_singles : {false, true}) check_places(RowShares(n_threads), with_singles);
}

}  // namespace
}  // namespace pyfm
