// The gradients of the table rows that a batch touches.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.h"
#include "base/team.h"
#include "train/batch.h"
#include "train/model.h"

namespace pyfm {

// A part of a model as training in batches sees it.
struct BatchPart {
  const PartKernels* kernels;
  PartView view;
  bool frozen, scores, embeds, clips;
  std::size_t output;
  Index gradient_width, sum_stride;
  Array<float> gradients;  // (slabs, kSlab × gradient_width)
  Array<float> sums;       // (examples at the same time, sum_stride) Scratch::sum of each

  BatchPart(ModelPart&, bool has_network);
  float* slab(Index number) noexcept { return gradients.data() + number * kSlab * gradient_width; }
};

// Of some parts of a model that see the same entries: all, or the deep ones.
class RowGradients {
 public:
  // Keeps the parts, which have to stay where they are.
  RowGradients(Index n_rows, RowShares shares, std::span<BatchPart> parts, bool deep_only);

  std::span<BatchPart> parts() const noexcept { return parts_; }
  // Whether what comes to the gradients are sums of blocks, else touches.
  bool from_sums() const noexcept { return from_sums_; }
  // How many entries of an example the parts see.
  int n_entries(const Entries& entries) const noexcept {
    return deep_only_ ? entries.n_deep : entries.size;
  }
  std::span<Touch> touches(ExampleBlock& block, std::size_t share) const noexcept {
    return deep_only_ ? block.deep_touches(share) : block.touches(share);
  }

  // Room for the gradients of as many rows more, at least.
  void reserve(std::size_t n_rows);
  // The numbers of the gradients of touched rows (T: Touch or RowSum), all of one share. Those that
  // are new have numbers from the one returned on; they start at 0 if touches come to them, and
  // hold anything if sums do. Different shares by different threads.
  template <class T>
  std::uint32_t find(std::size_t share, std::span<const T>, std::vector<std::uint32_t>& numbers);
  template <class T>
  [[gnu::always_inline]] void fetch_numbers(std::span<T> touched) noexcept {
    for (const T& t : touched) number_of_.fetch(t.row);
  }
  [[gnu::always_inline]] void fetch_numbers(const Entries& entries) noexcept {
    for (int e = 0; e < n_entries(entries); ++e) number_of_.fetch(entries.row[e]);
  }
  // Of a row that has one.
  Index number(RowId r) noexcept { return number_of_[r] - number_of_.first(); }

  // Scales the gradients of a part's weights down to the norm allowed; returns the factor.
  double clip(BatchPart&, double bias_gradient, Team&);

  bool empty(std::size_t share) const noexcept { return shares_[share].rows.empty(); }
  // body(rows, n, gradients) for the slabs of a share: n rows, and all that follow.
  template <class F>
  void for_slabs(std::size_t i, BatchPart& part, F&& body) {
    const TouchedRows& share = shares_[i];
    std::span<const RowId> rows = share.rows;
    for (const Index slab : share.slabs) {
      if (rows.empty()) return;  // the last slab may have been taken in vain
      const Index n = std::min(kSlab, static_cast<Index>(rows.size()));
      body(rows, n, part.slab(slab));
      rows = rows.subspan(static_cast<std::size_t>(n));
    }
  }
  // No row has a gradient any more.
  void end_batch() noexcept;

 private:
  Index new_slab();

  std::span<BatchPart> parts_;
  bool deep_only_, from_sums_;
  std::vector<TouchedRows> shares_;
  GradientMap number_of_;
  std::atomic<Index> n_slabs_{0};
};

}  // namespace pyfm
