#include "train/summed_gradients.h"

#include <algorithm>
#include <bit>

namespace pyfm {

namespace {

// So that the second cache holds the sums of a block. What the sums are must not depend on the
// data, which come in pieces, nor on the number of threads.
Index rows_of_block(std::span<const BatchPart> parts) {
  constexpr Index least = 4, bytes = Index{1} << 21;
  Index of_row = 1;
  for (const BatchPart& p : parts)
    of_row += std::max(1, p.view.shape.n_fields) * p.gradient_width * Index{sizeof(float)};
  const auto most = static_cast<std::size_t>(std::clamp(bytes / of_row, least, kBlockRows));
  return static_cast<Index>(std::bit_floor(most));
}

}  // namespace

SummedGradients::SummedGradients(RowGradients& gradients, std::size_t first_part,
                                 std::vector<Worker>& workers, RowShares shares, Index most_entries,
                                 bool steps_singles)
    : gradients_(gradients),
      first_part_(first_part),
      workers_(workers),
      shares_(shares),
      block_rows_(rows_of_block(gradients.parts())),
      repeated_(workers.size()),
      steps_singles_(steps_singles) {
  std::vector<Index> widths;
  for (const BatchPart& p : gradients.parts()) widths.push_back(p.gradient_width);
  // One thread takes each block while the cache has it; several wait for each other less often.
  const std::size_t n_threads = workers.size(), most = kMaxBlocks;
  const std::size_t n = n_threads == 1 ? 1 : std::min(most, 4 * n_threads);
  for (std::size_t b = 0; b < n; ++b) blocks_.emplace_back(widths);
  for (std::size_t t = 0; t < n_threads; ++t) places_.emplace_back(most_entries, widths);
}

void SummedGradients::begin_batch(const Dataset& data, const Index* order, Index n, Team& team) {
  // A longer batch repeats most of its rows, and has to be left at any time.
  constexpr Index longest = 16384;
  finds_singles_ = steps_singles_ && rests_ == 0 && n <= longest;
  if (rests_ > 0) --rests_;
  if (!finds_singles_) return;
  const std::size_t n_single =
      data.is_selection() ? count<true>(data, order, n, team) : count<false>(data, order, n, team);
  constexpr double least = 1.0 / 64;  // of the entries; else the search takes longer than it saves
  if (static_cast<double>(n_single) >= least * static_cast<double>(n) * data.mean_row_nnz()) return;
  finds_singles_ = false;
  rests_ = 15;
}

template <bool selected>
std::size_t SummedGradients::count(const Dataset& data, const Index* order, Index n, Team& team) {
  repeated_.begin(static_cast<Index>(static_cast<double>(n) * data.mean_row_nnz()));
  const Index rows = std::max(kBlockRows, n / (4 * team.size()));
  team.pieces(round_up(n, rows) / rows, [&](int thread, Index piece) {
    const auto t = static_cast<std::size_t>(thread);
    const Index end = std::min((piece + 1) * rows, n);
    for (Index i = piece * rows; i < end; ++i) {
      Worker::fetch_data<selected>(data, i, end, [&](Index at) { return order[at]; });
      workers_[t].for_table_rows(data.row<selected>(order[i]),
                                 [&](RowId r) { repeated_.count(t, r); });
    }
  });
  return repeated_.end();
}

void SummedGradients::add_example(Index b, Index i, const Entries& entries, ExampleBlock& facts,
                                  std::size_t thread) {
  BlockSums& block = blocks_[static_cast<std::size_t>(b)];
  GradientPlaces& places = places_[thread];
  const std::size_t n_before = block.size();
  places.find(entries.row, gradients_.n_entries(entries), block,
              finds_singles_ ? &repeated_ : nullptr);
  const std::span<const RowId> singles = places.single_rows();
  for (std::size_t p = 0; p < gradients_.parts().size(); ++p) {
    const BatchPart& part = gradients_.parts()[p];
    if (part.frozen) continue;
    Scratch& scratch = workers_[thread].scratch(first_part_ + p);
    const float dscore = facts.dscores(part.output)[static_cast<std::size_t>(i)];
    part.kernels->add_example(part.view, dscore, places.addresses(p, block), scratch);
    const auto n_singles = static_cast<Index>(singles.size());
    part.kernels->step_rows(part.view, singles.data(), n_singles, n_singles, places.singles(p),
                            scratch);
  }
  if (workers_.size() == 1) gradients_.fetch_numbers(block.rows(n_before));
}

void SummedGradients::add_sums(std::size_t share, Index n, std::vector<std::uint32_t>& at) {
  for (Index b = 0; b < n; ++b) {
    const BlockSums& block = blocks_[static_cast<std::size_t>(b)];
    const std::span<const RowSum> rows = block.of_share(share);
    const std::uint32_t first_new = gradients_.find(share, rows, at);
    if (b + 1 < n)
      gradients_.fetch_numbers(blocks_[static_cast<std::size_t>(b) + 1].of_share(share));
    else if (share + workers_.size() < shares_.size())  // what this thread does next, as a rule
      gradients_.fetch_numbers(blocks_.front().of_share(share + workers_.size()));
    for (std::size_t p = 0; p < gradients_.parts().size(); ++p) {
      BatchPart& part = gradients_.parts()[p];
      if (part.frozen) continue;
      part.kernels->add_sums(part.view, rows.data(), at.data(), static_cast<Index>(rows.size()),
                             first_new, block.sums(p), part.gradients.data());
    }
  }
}

}  // namespace pyfm
