// Gradients that are summed within blocks, and rows that a batch touches once.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "train/block_sums.h"
#include "train/gradient_places.h"
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

RepeatedRows counted(const std::vector<Rows>& all, std::size_t n_threads,
                     std::size_t* n_single = nullptr) {
  RepeatedRows repeated(n_threads);
  repeated.begin(static_cast<Index>(all.size() * all.front().size()));
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const RowId r : all[i]) repeated.count(i % n_threads, r);
  const std::size_t n = repeated.end();
  if (n_single) *n_single = n;
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
      std::size_t n_single = 0, n_once = 0, n_found = 0;
      const RepeatedRows repeated = counted(all, n_threads, &n_single);
      for (const auto& [row, count] : times(all)) {
        BOOST_TEST((count == 1 || !repeated.is_single(row)));
        n_once += count == 1;
        n_found += repeated.is_single(row);
      }
      BOOST_TEST(n_once > 0);
      BOOST_TEST(n_single == n_found);
      BOOST_TEST(10 * n_found >= 7 * n_once);  // others are taken for rows with the same hash
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
  BOOST_TEST(repeated.end() == 1);
  BOOST_TEST(repeated.is_single(5));
}

float added(std::size_t example, std::size_t entry, Index d) {
  return static_cast<float>(example + 10 * entry + 100 * static_cast<std::size_t>(d));
}

// A block whose examples added numbers of every entry to its place, and what the sums should be.
struct Filled {
  BlockSums sums;
  std::map<RowId, std::vector<float>> expected;
  std::size_t n_singles = 0;

  explicit Filled(const std::vector<Index>& widths) : sums(widths) {}

  void add(std::size_t i, const Rows& rows, const std::vector<Index>& widths,
           GradientPlaces& places, const RepeatedRows* repeated) {
    const auto is_single = [&](RowId r) { return repeated && repeated->is_single(r); };
    places.find(rows.data(), static_cast<int>(rows.size()), sums, repeated);
    for (std::size_t p = 0; p < widths.size(); ++p) {
      float* const* to = places.addresses(p, sums);
      for (std::size_t e = 0; e < rows.size(); ++e)
        for (Index d = 0; d < widths[p]; ++d) to[e][d] += added(i, e, d);
    }
    std::size_t s = 0;
    for (std::size_t e = 0; e < rows.size(); ++e) {
      if (is_single(rows[e])) {
        BOOST_TEST(places.single_rows()[s] == rows[e]);
        for (std::size_t p = 0; p < widths.size(); ++p)
          for (Index d = 0; d < widths[p]; ++d)
            BOOST_TEST(places.singles(p)[static_cast<Index>(s) * widths[p] + d] == added(i, e, d));
        ++s;
      } else {
        std::vector<float>& sum = expected[rows[e]];
        sum.resize(3);
        for (Index d = 0; d < 3; ++d) sum[static_cast<std::size_t>(d)] += added(i, e, d);
      }
    }
    BOOST_TEST(places.single_rows().size() == s);
    n_singles += s;
  }

  // The sums of a row, taken together, are those that are expected, in every part.
  void check(const std::vector<Index>& widths, RowShares shares, bool in_turns) {
    sums.sort(shares);
    std::vector<std::map<RowId, std::vector<float>>> found(widths.size());
    std::map<RowId, int> n_sums;
    std::set<std::uint32_t> numbers;
    for (std::size_t share = 0; share < shares.size(); ++share) {
      std::uint32_t last = 0;
      for (const RowSum& r : sums.of_share(share)) {
        BOOST_TEST(shares.of(r.row) == share);
        BOOST_TEST((r.number >= last && numbers.insert(r.number).second));
        last = r.number;
        ++n_sums[r.row];
        for (std::size_t p = 0; p < widths.size(); ++p) {
          std::vector<float>& sum = found[p][r.row];
          sum.resize(static_cast<std::size_t>(widths[p]));
          for (Index d = 0; d < widths[p]; ++d)
            sum[static_cast<std::size_t>(d)] += sums.sums(p)[Index{r.number} * widths[p] + d];
        }
      }
    }
    BOOST_TEST(numbers.size() == sums.size());
    for (std::size_t p = 0; p < widths.size(); ++p) {
      BOOST_TEST(found[p].size() == expected.size());
      for (const auto& [row, sum] : found[p])
        BOOST_TEST(std::ranges::equal(sum, std::span(expected.at(row)).first(sum.size())));
    }
    // Frequent rows have one sum, unless others have the same last bits.
    if (in_turns) return;
    for (const auto& [row, n] : n_sums) BOOST_TEST((n == 1 || row % 1024 == 1));
  }
};

// Two blocks in turns, of which the second remains shorter; then one after the other.
void check_places(RowShares shares, bool with_singles) {
  const std::vector<Index> widths = {1, 3};
  const std::vector<Rows> all = examples(300, 9, 4);
  const RepeatedRows counted_rows = counted(all, 1);
  const RepeatedRows* const repeated = with_singles ? &counted_rows : nullptr;
  GradientPlaces places(9, widths);
  Filled one(widths), other(widths);
  for (const std::size_t n_examples : {300, 20, 40}) {  // in memory that has been used before
    const bool in_turns = n_examples != 40;
    for (Filled* block : {&one, &other}) {
      block->sums.clear();
      block->expected.clear();
      block->n_singles = 0;
    }
    for (std::size_t i = 0; i < n_examples; ++i)
      ((in_turns ? i % 7 == 6 : i > 30) ? other : one).add(i, all[i], widths, places, repeated);
    one.check(widths, shares, in_turns);
    other.check(widths, shares, in_turns);
    BOOST_TEST((one.n_singles > 0) == with_singles);
  }
}

BOOST_AUTO_TEST_CASE(sums_are_those_of_a_map) {
  for (const std::size_t n_threads : {1, 2, 20})
    for (const bool with_singles : {false, true}) check_places(RowShares(n_threads), with_singles);
}

}  // namespace
}  // namespace pyfm
