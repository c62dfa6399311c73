// One thread's kernels and working memory for a model.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "data/dataset.h"
#include "model/entries.h"
#include "train/hot_rows.h"
#include "train/model.h"

namespace pyfm {

enum class Purpose { predict, train };

// Threads write to these all the time: no two share a cache line, nor a pair of them.
constexpr std::size_t kApart = 128;

struct alignas(kApart) PartWorker {
  PartView view;
  const PartKernels* kernels;
  ScratchMemory scratch;
  std::optional<HotRows> hot;
};

class alignas(kApart) Worker {
 public:
  // While a row is computed, the table rows of the row this far behind it are on their way.
  static constexpr Index kAhead = 2;
  // The numbers of those table rows, and the data of shuffled rows, are fetched earlier still.
  static constexpr Index kLookUpAhead = 5, kDataAhead = 10;

  double loss = 0;    // Σ weight × loss
  double weight = 0;  // Σ weight

  Worker(Model& model, const Dataset& data, Purpose purpose, int n_threads);

  // Asks for what `prepare` will look up.
  [[gnu::always_inline]] void prefetch(const Row& row) const noexcept {
    if (!filter_.all_known) return;
    for (Index e = 0; e < row.size; ++e) __builtin_prefetch(filter_.row_of + row.features[e]);
  }
  // Looks up the features of row number i and scales its values; good until row i + kAhead + 1.
  const Entries& prepare(Index i, const Row& row) noexcept;
  const Entries& prepared(Index i) const noexcept { return entries_[slot(i)]; }
  // `next` is fetched into the cache meanwhile, unless it is null.
  float score(const Entries& row, const Entries* next) noexcept;
  void update(float dscore) noexcept;

  // Different random numbers for every seed, epoch and thread.
  void seed_noise(std::uint64_t key) noexcept;
  void end_block() noexcept;
  void merge_all() noexcept;

 private:
  static std::size_t slot(Index i) noexcept { return static_cast<std::size_t>(i % (kAhead + 1)); }

  std::vector<PartWorker> parts_;
  std::vector<EntryBuffer> buffers_;
  std::array<Entries, kAhead + 1> entries_{};
  EntryFilter filter_;
  bool normalize_;
  Index n_blocks_ = 0;
};

// Throws std::invalid_argument when the model cannot learn from the data.
void check_trainable(const Model& model, const Dataset& data);

std::vector<Worker> make_workers(Model& model, const Dataset& data, int n_threads, Purpose purpose);

}  // namespace pyfm
