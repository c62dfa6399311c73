// The memory of a batch: its entries, example by example, and the gradients of the rows that they
// touch. Everything is divided in pieces that do not depend on the number of threads: examples in
// blocks, and rows of the tables in shares. A piece is one thread's work at a time, and its numbers
// are added up in the order of the examples: any number of threads gives the same sums.
#pragma once
#include <array>
#include <span>
#include <vector>

#include "base/array.h"
#include "loss/loss_sum.h"
#include "model/batch.h"
#include "model/scratch.h"

namespace pyfm {

inline constexpr Index kBlockRows = 64;          // examples in a block, at most
inline constexpr Index kMaxBlocks = 32;          // whose entries are held at the same time, at most
inline constexpr std::size_t kRowShares = 32;    // of the rows of the tables
inline constexpr std::size_t kFloatsApart = 16;  // a cache line: no vector's store reaches over it

constexpr Index round_up(Index n, Index unit) {
  return (n + unit - 1) / unit * unit;
}

// What brings gradients whose squares sum up to `square` down to a norm of `most`; 1 where they are
// no longer.
double clip_factor(double square, float most);

// Entries of some examples, as they were scored.
class ExampleBlock {
 public:
  LossSum loss;

  explicit ExampleBlock(std::size_t n_outputs) : outputs_(n_outputs) {}
  void clear();
  // `keep_fields`: so that entries() is complete but for `at`.
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
  Entries entries(int example) const noexcept;
  std::span<const RowId> rows() const noexcept { return rows_; }
  std::span<Touch> touches(std::size_t share) noexcept { return touches(2 * share, 2 * share + 2); }
  // Those of entries that not only linear terms see.
  std::span<Touch> deep_touches(std::size_t share) noexcept {
    return touches(2 * share, 2 * share + 1);
  }

  std::vector<float*> gradients;  // one for each entry

 private:
  FieldId field_of(int example, std::size_t entry) const noexcept;
  // Of the heaps from `first` on, below `last`.
  std::span<Touch> touches(std::size_t first, std::size_t last) noexcept {
    return {touches_.data() + heap_begin_[first], heap_begin_[last] - heap_begin_[first]};
  }

  struct Form {
    bool has_fields, equal;
  };
  struct Output {
    double dscore = 0;
    std::array<float, kBlockRows> dscores;
  };
  std::vector<Output> outputs_;
  std::vector<std::size_t> ends_;       // of the entries of each example
  std::vector<std::size_t> deep_ends_;  // of those that not only linear terms see
  std::vector<Form> forms_;
  std::vector<RowId> rows_;
  std::vector<FieldId> fields_;
  std::vector<float> x_;
  std::vector<Touch> touches_;
  // Of the touches: a heap of each share's deep ones, and one of its others. Before list_touches:
  // sizes.
  std::array<std::size_t, 2 * kRowShares + 1> heap_begin_{};
};

// The rows of a share that the batch has touched so far, and the slabs of their gradients, which
// the shares take as they need them: the i-th row's is number gradient(i) of all.
struct RowShare {
  std::vector<RowId> rows;
  std::vector<Index> slabs;

  std::uint32_t gradient(std::size_t i) const noexcept {
    constexpr std::size_t size = kSlab;
    return static_cast<std::uint32_t>(slabs[i / size] * kSlab) +
           static_cast<std::uint32_t>(i % size);
  }
};

// Where the gradient of a row stands.
class GradientMap {
 public:
  explicit GradientMap(Index n_rows) : per_share_(n_rows / kRowShares + 1) {
    at_ = Array<std::uint32_t>(static_cast<Index>(kRowShares) * per_share_);
  }
  static std::size_t share(RowId r) noexcept { return r % kRowShares; }
  // 0: it has none, else one more than its number. Threads that work on different shares write to
  // different cache lines.
  std::uint32_t& operator[](RowId r) noexcept {
    return at_[static_cast<Index>(share(r)) * per_share_ + static_cast<Index>(r / kRowShares)];
  }

 private:
  Index per_share_;
  Array<std::uint32_t> at_;
};

}  // namespace pyfm
