#include "train/row_order.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "data/augmentation.h"

namespace pyfm {

namespace {

// Neighbours share pages of memory, and the cache lines of their indptr, y and weight.
constexpr Index kTile = 16;
// At most so many rows; so many that those which are sorted, by label for example, mix well.
constexpr Index kWindow = 1024 * kTile;

// Fisher-Yates: swap(i, j) for i from the last of n down to the second, with a random j <= i.
template <class Swap>
void shuffle(std::uint64_t key, Index n, Swap&& swap) {
  for (Index i = n - 1; i > 0; --i) {
    const auto position = static_cast<std::uint64_t>(i);
    swap(i, static_cast<Index>(random_below(key, position, position + 1)));
  }
}

}  // namespace

Array<Index> row_order(Index n_rows, std::uint64_t seed, const EpochOptions& options) {
  Array<Index> order(n_rows);
  Index* const rows = order.data();
  std::iota(rows, rows + n_rows, Index{0});
  if (options.augmentation && options.augmentation->bootstrap)
    for (Index i = 0; i < n_rows; ++i) rows[i] = bootstrap_row(seed, i, n_rows);
  if (!options.shuffle) return order;
  std::uint64_t key = random_key(~seed, static_cast<std::uint64_t>(options.epoch));
  if (options.position && options.position->n_pieces > 0)
    key = random_key(key, static_cast<std::uint64_t>(options.position->n_pieces));
  if (n_rows > kWindow)
    shuffle(random_key(key, 0), n_rows / kTile, [&](Index i, Index j) {
      std::swap_ranges(rows + i * kTile, rows + (i + 1) * kTile, rows + j * kTile);
    });
  const Index n_windows = (n_rows + kWindow - 1) / kWindow;
  const Index window = n_windows > 1 ? (n_rows + n_windows - 1) / n_windows : n_rows;
  for (Index begin = 0; begin < n_rows; begin += window)
    shuffle(key + static_cast<std::uint64_t>(begin), std::min(window, n_rows - begin),
            [&](Index i, Index j) { std::swap(rows[begin + i], rows[begin + j]); });
  return order;
}

}  // namespace pyfm
