// Gradients of parts whose examples are taken whole: added up in blocks right after each is scored,
// and then in the order of the blocks. A row that a batch touches once needs no sum and is stepped
// at once, while the cache has it; its bits are the same either way.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/team.h"
#include "data/dataset.h"
#include "train/batch.h"
#include "train/block_sums.h"
#include "train/gradient_places.h"
#include "train/repeated_rows.h"
#include "train/row_gradients.h"
#include "train/worker.h"

namespace pyfm {

class SummedGradients {
 public:
  // Keeps references. The gradients' parts are those of the workers from `first_part` on. Examples
  // have at most so many entries. `steps_singles`: unless the steps depend on the whole batch, or
  // rows of the data are changed.
  SummedGradients(RowGradients& gradients, std::size_t first_part, std::vector<Worker>& workers,
                  RowShares shares, Index most_entries, bool steps_singles);

  // How many rows of data a block has, and how many blocks are worth being summed at a time.
  Index block_rows() const noexcept { return block_rows_; }
  Index n_blocks() const noexcept { return static_cast<Index>(blocks_.size()); }

  // Of the n rows of data that order[i] are the numbers of.
  void begin_batch(const Dataset& data, const Index* order, Index n, Team& team);
  // Whether rows of this batch are stepped before its end.
  bool steps_singles() const noexcept { return finds_singles_; }
  // Block b, by one thread: it begins; the example that the thread scored last, the i-th of it,
  // with its d loss / d score; it ends.
  void begin_block(Index b) noexcept { blocks_[static_cast<std::size_t>(b)].clear(); }
  void add_example(Index b, Index i, const Entries& entries, ExampleBlock& facts,
                   std::size_t thread);
  void end_block(Index b) { blocks_[static_cast<std::size_t>(b)].sort(shares_); }
  std::size_t n_sums(Index b) const noexcept { return blocks_[static_cast<std::size_t>(b)].size(); }
  // Adds the sums of blocks [0, n) to the gradients of a share. `at`: working memory.
  void add_sums(std::size_t share, Index n, std::vector<std::uint32_t>& at);

 private:
  template <bool selected>
  std::size_t count(const Dataset& data, const Index* order, Index n, Team& team);

  RowGradients& gradients_;
  std::size_t first_part_;
  std::vector<Worker>& workers_;
  RowShares shares_;
  Index block_rows_;
  std::vector<BlockSums> blocks_;
  std::vector<GradientPlaces> places_;  // of each thread
  RepeatedRows repeated_;
  bool steps_singles_, finds_singles_ = false;  // in some batch; in this one
  int rests_ = 0;                               // so many batches more, since few were found
};

}  // namespace pyfm
