// The memory of a batch: its entries, example by example, and the gradients of the rows that they
// touch. Everything is divided in pieces, each one thread's work at a time: examples in blocks that
// do not depend on the number of threads, and rows of the tables in shares. The gradient of a row
// is added up in the order of the examples: any number of threads gives the same sums.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <vector>

#include "base/array.h"
#include "base/fetch.h"
#include "loss/loss_sum.h"
#include "model/batch.h"
#include "model/scratch.h"

namespace pyfm {

inline constexpr Index kBlockRows = 64;          // examples in a block, at most
inline constexpr Index kMaxBlocks = 32;          // whose entries are held at the same time, at most
inline constexpr std::size_t kFloatsApart = 16;  // a cache line: no vector's store reaches over it

constexpr Index round_up(Index n, Index unit) {
  return (n + unit - 1) / unit * unit;
}

// The rows of the tables are divided in shares: one for one thread, else a few for each thread. A
// row's gradient and its step do not depend on which share it is in.
class RowShares {
 public:
  static constexpr std::size_t kMost = 64;

  explicit RowShares(std::size_t n_threads)
      : n_(n_threads == 1 ? 1 : std::min(std::bit_ceil(4 * n_threads), kMost)),
        bits_(std::countr_zero(n_)) {}

  std::size_t size() const noexcept { return n_; }
  std::size_t of(RowId r) const noexcept { return r & (n_ - 1); }
  // Its number among those of its share.
  Index place(RowId r) const noexcept { return r >> bits_; }

 private:
  std::size_t n_;  // a power of two
  int bits_;
};

// What brings gradients whose squares sum up to `square` down to a norm of `most`; 1 where they are
// no longer.
double clip_factor(double square, float most);

// Entries of some examples, as they were scored.
class ExampleBlock {
 public:
  LossSum loss;

  ExampleBlock(std::size_t n_outputs, RowShares shares) : shares_(shares), outputs_(n_outputs) {}
  void clear();
  // `keep_fields`: touches say their entries' fields.
  void add(const Entries&, bool keep_fields);
  // Sorts what was added by the share of the row that it touches, deep entries first, keeping the
  // order within.
  void list_touches();

  // d loss / d score, by the scores' numbers: of each example, and their sum.
  std::array<float, kBlockRows>& dscores(std::size_t output) noexcept {
    return outputs_[output].dscores;
  }
  double& dscore(std::size_t output) noexcept { return outputs_[output].dscore; }

  int size() const noexcept { return static_cast<int>(ends_.size()); }
  std::size_t begin(int example) const noexcept {
    return example == 0 ? 0 : ends_[static_cast<std::size_t>(example) - 1];
  }
  std::span<const RowId> rows() const noexcept { return rows_; }
  std::span<Touch> touches(std::size_t share) noexcept { return touches(2 * share, 2 * share + 2); }
  // Those of entries that not only linear terms see.
  std::span<Touch> deep_touches(std::size_t share) noexcept {
    return touches(2 * share, 2 * share + 1);
  }

 private:
  // Of the heaps from `first` on, below `last`.
  std::span<Touch> touches(std::size_t first, std::size_t last) noexcept {
    return {touches_.data() + heap_begin_[first], heap_begin_[last] - heap_begin_[first]};
  }

  struct Output {
    double dscore = 0;
    std::array<float, kBlockRows> dscores;
  };
  RowShares shares_;
  std::vector<Output> outputs_;
  std::vector<std::size_t> ends_;       // of the entries of each example
  std::vector<std::size_t> deep_ends_;  // of those that not only linear terms see
  std::vector<RowId> rows_;
  std::vector<FieldId> fields_;  // where they are kept
  std::vector<float> x_;
  std::vector<Touch> touches_;
  // Of the touches: a heap of each share's deep ones, and one of its others. Before list_touches:
  // sizes.
  std::array<std::size_t, 2 * RowShares::kMost + 1> heap_begin_{};
};

// The rows of a share that the batch has touched so far, and the slabs of their gradients, which
// the shares take as they need them: the i-th row's is number gradient(i) of all.
struct TouchedRows {
  std::vector<RowId> rows;
  std::vector<Index> slabs;

  std::uint32_t gradient(std::size_t i) const noexcept {
    constexpr std::size_t size = kSlab;
    return static_cast<std::uint32_t>(slabs[i / size] * kSlab) +
           static_cast<std::uint32_t>(i % size);
  }
};

// Where the gradients of a batch's rows stand.
class GradientMap {
 public:
  // `most`: numbers that are given before the map is cleared.
  GradientMap(Index n_rows, RowShares shares, std::uint32_t most = std::uint32_t{1} << 31)
      : shares_(shares), per_share_(n_rows / static_cast<Index>(shares.size()) + 1), most_(most) {
    at_ = Array<std::uint32_t>(static_cast<Index>(shares.size()) * per_share_);
  }
  // A row has a gradient if this is first() or more, whose number it is more by. Threads that work
  // on different shares write to different cache lines.
  std::uint32_t& operator[](RowId r) noexcept {
    if (shares_.size() == 1) return at_[r];  // without a product for each
    return at_[static_cast<Index>(shares_.of(r)) * per_share_ + shares_.place(r)];
  }
  std::uint32_t first() const noexcept { return first_; }
  [[gnu::always_inline]] void fetch(RowId r) noexcept { fetch_to_write(&(*this)[r]); }
  // No row has a gradient any more; numbers below n were given.
  void forget(Index n) noexcept {
    if (n < most_ - first_) {
      first_ += static_cast<std::uint32_t>(n);
      return;
    }
    std::fill_n(at_.data(), at_.size(), 0u);
    first_ = 1;
  }

 private:
  RowShares shares_;
  Index per_share_;
  Array<std::uint32_t> at_;
  std::uint32_t most_, first_ = 1;
};

}  // namespace pyfm
