// A model: parts whose scores add up. It owns the tables; trainer and predictor work on it.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/array.h"
#include "loss/row_loss.h"
#include "model/row_map.h"
#include "model/started_rows.h"
#include "train/kernels.h"
#include "train/network.h"
#include "train/spec.h"

namespace pyfm {

struct ModelPart {
  Part part;
  PartShape shape;
  OptimizerSpec optimizer;
  bool scores = true;       // by itself; else it is for the network alone
  bool frozen = false;      // training leaves it as it is
  std::size_t output = 0;   // the score that it adds to
  Array<char> rows{};       // (n_rows, stride) of shape.storage
  std::span<float> bias{};  // (1 + slots,) of the model's; only in the linear part

  PartView view() noexcept {
    return {shape, optimizer.params, rows.data(), bias.empty() ? nullptr : bias.data()};
  }
  const PartKernels& kernels() const {
    return kernel_table(simd_level()).find(part, optimizer, shape);
  }
};

// Of the random numbers that round one part to 16 bits.
using NoiseState = std::array<std::uint32_t, 16>;

// Where the random numbers of the next rows of a stream go on.
struct StreamPosition {
  Index n_batches = 0;
  std::vector<NoiseState> noise;  // of each part, on the first thread
};

// Weights (not optimizer state) of all rows.
struct Snapshot {
  Array<FeatureId> features;         // (n_rows,) of the rows, row 0 included
  std::vector<Array<char>> weights;  // (n_rows, width) of each part
  std::vector<float> biases;         // of each score; none without linear parts
  NetworkCopy network;
};

class Model {
 public:
  // Throws std::invalid_argument, or OutOfMemory before anything is allocated.
  explicit Model(ModelSpec spec);

  const ModelSpec& spec() const noexcept { return spec_; }
  const RowLoss& loss() const noexcept { return loss_; }
  std::size_t n_outputs() const noexcept { return static_cast<std::size_t>(spec_.n_outputs); }
  // Of each score in turn.
  std::vector<ModelPart>& parts() noexcept { return parts_; }
  // That of the first score; null when the model has no such part.
  ModelPart* find(Part part) noexcept;
  // (n_outputs, bias_stride): each followed by the optimizer's state; empty without linear parts.
  std::span<float> biases() noexcept {
    return {biases_.data(), static_cast<std::size_t>(biases_.size())};
  }
  Index bias_stride() const noexcept { return biases_.size() / spec_.n_outputs; }
  Network* network() const noexcept { return network_.get(); }  // null but in deep models
  bool trainable() const noexcept { return spec_.linear_optimizer || spec_.factor_optimizer; }
  // Of deep models with fields that only the linear terms see: see EntryFilter. Else null.
  const std::int32_t* columns() const noexcept {
    return columns_.empty() ? nullptr : columns_.data();
  }
  const RowMap& rows() const noexcept { return rows_; }
  RowMap& rows() noexcept { return rows_; }

  Index nbytes() const noexcept;
  Index weight_nbytes() const noexcept;

  // Gives rows, not yet filled, to features that have none. Throws OutOfMemory before it takes
  // memory that the machine does not have.
  void add_rows(std::span<const FeatureId> features);
  // The size of the feature space. Throws OutOfMemory before it takes memory that the machine does
  // not have; rows of features that are no longer in it have to be gone.
  void resize(Index n_features);
  // Takes the last rows away: n_rows are left, row 0 included.
  void truncate(Index n_rows) noexcept;

  // Gives rows, with weights 0, to features that have none, in their order. Throws
  // std::invalid_argument, and adds none, where one has a row or comes twice.
  void add_empty_rows(std::span<const FeatureId> features);

  // Copies weights of a part, (features, n_outputs, n_fields, n_factors), now or as a snapshot of
  // this model holds them; zeros of features without a row.
  void read(Part part, std::span<const FeatureId> features, float* to,
            const Snapshot* snapshot = nullptr);
  // Sets them, and the optimizer's state to what belongs to them. Features without a row get one.
  void write(Part part, std::span<const FeatureId> features, const float* from);

  // The optimizer's state of a part, (features, slots, n_outputs, n_fields, n_factors): all of it,
  // to the bit. Padding has none that matters. Throw std::invalid_argument where a feature has no
  // row.
  int slots(Part part);
  void read_state(Part part, std::span<const FeatureId> features, float* to);
  void write_state(Part part, std::span<const FeatureId> features, const float* from);

  // Where there are columns: rows get initial vectors when their features are first met in fields
  // with some. Those whose weights were set have theirs.
  StartedRows& vectors() noexcept { return vectors_; }

  // Features get rows once so many examples have held them.
  std::uint32_t min_count() const noexcept { return min_count_; }
  void set_min_count(std::uint32_t min_count) noexcept;

  // Parts that training leaves as they are.
  void freeze(Part part, bool frozen) noexcept;

  // Other parameters for the optimizer of a part, whose state stays.
  void set_optimizer(Part part, const OptimizerSpec& optimizer);

  // Whether no weight is NaN or infinite.
  bool is_finite(int n_threads) const;
  // The same of one row; row 0 stands for the bias and the network.
  bool row_is_finite(RowId r) const;

  // Into memory that earlier snapshots may have left there.
  void save(Snapshot& snapshot) const;
  void restore(const Snapshot& snapshot);

  // Facts that training leaves for its next epoch.
  std::uint64_t initialized_for = 0;  // id of the data set all of whose features have filled rows
  bool bias_started = false;
  bool recount = false;  // features without a row may have been counted min_count times already
  StreamPosition stream;
  std::vector<float> hot;  // expected occurrences per example of the features of rows 1, 2, …
  std::mutex& row_lock(RowId group) noexcept { return locks_[group % locks_.size()]; }

 private:
  void add_parts(std::size_t output);
  void add_part(Part part, std::size_t output, PartShape shape,
                const std::optional<OptimizerSpec>& optimizer);
  void add_network();
  void resize_tables();
  void check_rows(std::span<const FeatureId> features) const;
  // Of the i-th numbers that each output has for a feature, or for a slot of one, among all.
  Index place(Index i, const ModelPart&) const noexcept;
  template <class Outside, class F>
  void for_state(Part, std::span<const FeatureId>, Outside*, F&& f);

  ModelSpec spec_;
  RowLoss loss_;
  Array<float> biases_;
  std::vector<ModelPart> parts_;
  std::unique_ptr<Network> network_;
  RowMap rows_;
  std::vector<std::int32_t> columns_;
  StartedRows vectors_;  // where there are columns
  std::uint32_t min_count_ = 1;
  std::array<std::mutex, 64> locks_;  // held while rows are merged; which one: by their group
};

}  // namespace pyfm
