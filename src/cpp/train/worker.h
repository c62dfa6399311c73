// One thread's kernels and working memory for a model.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/fetch.h"
#include "data/augmentation.h"
#include "data/dataset.h"
#include "loss/loss_sum.h"
#include "model/entries.h"
#include "model/row_map.h"
#include "train/hot_rows.h"
#include "train/model.h"
#include "train/progressive.h"

namespace pyfm {

// Whether rows are scored, learned at once, or scored for their part in a batch's gradients.
enum class Purpose { predict, train, batch };

// Threads write to these all the time: no two share a cache line, nor a pair of them.
constexpr std::size_t kApart = 128;

struct alignas(kApart) PartWorker {
  PartView view;
  const PartKernels* kernels;
  bool scores;
  bool sees_all;         // entries of a row, else the deep ones
  bool begins;           // its score: the part before adds to another one
  std::uint32_t output;  // the number of its score
  ScratchMemory scratch;
  std::optional<HotRows> hot;
  // What it sees of the rows that are prepared. Written long before kernels copy it: vectors that
  // were stored in pieces are slow to load.
  std::array<Entries, kPreparedRows> entries{};

  // d loss / d score, made smaller where the gradient of this part's weights is longer than
  // allowed.
  float clipped(float dscore) noexcept;
  int size_of(const Entries& row) const noexcept { return sees_all ? row.size : row.n_deep; }
};

class alignas(kApart) Worker {
 public:
  // While a row is computed, the table rows of the row this far behind it are on their way.
  static constexpr Index kAhead = 2;

  LossSum loss;

  // Numbered: the data have numbers of table rows in place of features.
  Worker(Model& model, const Dataset& data, Purpose purpose, int n_threads, bool numbered);

  // Rows are changed on their way, from now on; row 0 is at the place `first` of the epoch.
  void augment(const Augmenter& augmenter);
  void begin_block(Index first) noexcept { first_ = first; }

  // Rows pass through here in order, from number 0 on; below `end`, row i is number at(i) of the
  // data set. Before row i is scored, row i + kAhead + 1 must have passed.
  // Scattered: not one after the other, which the processor would see by itself.
  template <bool selected, bool scattered, class At>
  [[gnu::always_inline]] void prepare(const Dataset& data, Index i, Index end, At&& at) noexcept {
    if (scattered) fetch_data<selected>(data, i, end, at);
    if (i < end)
      look_up(i, data.row<selected>(at(i)));
    else
      entries_[slot(i)].size = entries_[slot(i)].n_deep = 0;
    // Amid other work, so that requests never queue up.
    if (i + kLookUpAhead < end) prefetch(data.row<selected>(at(i + kLookUpAhead)));
    // One row later, when what look_up stored is in the cache: vectors cannot be loaded before.
    if (i > 0) locate(i - 1);
  }
  // The data of rows that follow row i, which pass through in order, too.
  template <bool selected, class At>
  [[gnu::always_inline]] static void fetch_data(const Dataset& data, Index i, Index end,
                                                At&& at) noexcept {
    if (selected && i + kSelectionAhead < end) data.prefetch_selection(at(i + kSelectionAhead));
    if (i + kExtentAhead < end) data.prefetch_extent<selected>(at(i + kExtentAhead));
    if (i + kDataAhead < end) data.prefetch<selected>(at(i + kDataAhead));
  }
  // f(number of the table row) for what a row of the data may touch, if rows are not changed.
  template <class F>
  [[gnu::always_inline]] void for_table_rows(const Row& row, F&& f) const noexcept {
    const EntryFilter filter = filter_;  // which nothing that f writes to could change
    for (Index e = 0; e < row.size; ++e) {
      const FeatureId j = row.features[e];
      if (filter.all_known || static_cast<Index>(j) < filter.n_features)
        f(filter.row_of ? RowMap::number(filter.row_of[j]) : RowId{j});
    }
  }
  // Scores row i; row i + kAhead is fetched into the cache meanwhile. Returns the only score, which
  // so need not go through memory, or the last one.
  float score(Index i) noexcept;
  // The same; a stream is told the scores of this example, without features that are new to it.
  float score(Index i, Index example, Progressive& stream) noexcept;
  // Of row i, which holds some, without features that are new to the stream.
  float score_known(Index i, const Progressive& stream) noexcept;
  // All of the row that was scored last, (n_outputs,); they may be written over.
  std::span<float> scores() noexcept {
    return {scores_.data(), static_cast<std::size_t>(scores_.size())};
  }
  // With d loss / d score, of the only score or of each.
  void update(float dscore) noexcept;
  void update(std::span<const float> dscores) noexcept;

  // Row i, until row i + kPreparedRows is prepared.
  const Entries& entries(Index i) const noexcept { return entries_[slot(i)]; }
  Scratch& scratch(std::size_t part) noexcept { return parts_[part].scratch.view(); }
  Scratch& last_scratch() noexcept { return parts_.back().scratch.view(); }

  // Different random numbers for every seed, epoch and thread.
  void seed_noise(std::uint64_t key) noexcept;
  // The numbers go on where those of an earlier worker ended.
  void save_noise(std::vector<NoiseState>& to) noexcept;
  void load_noise(const std::vector<NoiseState>& from) noexcept;
  void end_block() noexcept;
  void merge_all() noexcept;

 private:
  // The numbers of table rows are looked up this far behind the row that is prepared, when the data
  // of the row, and where these lie, were asked for in time.
  static constexpr Index kLookUpAhead = 3, kDataAhead = 8, kExtentAhead = 16, kSelectionAhead = 24;

  static std::size_t slot(Index i) noexcept { return static_cast<std::size_t>(i) % kPreparedRows; }
  [[gnu::always_inline]] void prefetch(const Row& row) const noexcept {
    if (!filter_.all_known || !filter_.row_of) return;
#pragma GCC unroll 4
    for (Index e = 0; e < row.size; ++e) fetch(filter_.row_of + row.features[e]);
  }
  // The scores that parts add up to; score_of(part) is what one adds.
  template <class F>
  float add_up(F&& score_of) noexcept {
    float total = 0;
    for (PartWorker& p : parts_) {
      const float score = score_of(p);
      total = (p.begins ? 0.0f : total) + (p.scores ? score : 0.0f);
      scores_[static_cast<Index>(p.output)] = total;
    }
    return total;
  }
  // Numbers of table rows and scaled values of row i.
  void look_up(Index i, const Row& given) noexcept;
  void look_up_in(Index i, const Row& row) noexcept;
  // What each part sees of it, and the addresses of its table rows.
  void locate(Index i) noexcept;

  std::vector<PartWorker> parts_;
  Array<float> scores_;
  std::vector<EntryBuffer> buffers_;
  std::array<Entries, kPreparedRows> entries_{};
  std::optional<Augmenter> augmenter_;
  std::vector<RowBuffer> augmented_;  // entries_ may point to them
  Index max_row_nnz_, first_ = 0;
  EntryFilter filter_;
  bool normalize_;
  Index n_blocks_ = 0;
};

// Throws std::invalid_argument when the model cannot learn from the data.
void check_trainable(const Model& model, const Dataset& data);

// With null, or what leaves the rows as they are, it does nothing.
void augment(std::vector<Worker>& workers, const Augmentation* augmentation, std::uint64_t seed,
             Index epoch);

std::vector<Worker> make_workers(Model& model, const Dataset& data, int n_threads, Purpose purpose,
                                 bool numbered = false);

}  // namespace pyfm
