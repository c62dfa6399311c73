// The network's side of a batch: its input, which the factors fill, its scores, and what it sends
// back to the factors.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/array.h"
#include "base/team.h"
#include "model/batch.h"
#include "train/model.h"
#include "train/repeated_vectors.h"
#include "train/row_gradients.h"
#include "train/worker.h"

namespace pyfm {

class DeepBatch {
 public:
  // For batches of at most so many rows, which a stream also scores as they would be in prediction.
  // Throws OutOfMemory before it takes memory that the machine does not have.
  DeepBatch(Model&, Index most_rows, bool is_stream, int n_threads);
  ~DeepBatch();
  DeepBatch(const DeepBatch&) = delete;
  DeepBatch& operator=(const DeepBatch&) = delete;

  // Input of example i, which the worker has just scored. By several threads.
  void embed(Index i, Worker&) noexcept;
  // The same of a stream's example without what is new to it.
  void embed_known(Index i, Worker&) noexcept;

  // Scores of the first n examples, one each; `key` is that of the batch's random numbers.
  void forward(Index n, std::uint64_t key, Team&);
  float score(Index i) const noexcept { return scores_[i]; }
  float known_score(Index i) const noexcept { return known_scores_[i]; }

  // From d loss / d score of each, for which there is room, to all gradients; then one step.
  float& dscore(Index i) noexcept { return dscores_[i]; }
  void backward(Index n, std::uint64_t key, Team&);
  void step(Team&);

  // Adds what the network sends back to the gradients of the factors: touches of the examples from
  // `first` on, `at` those places; then, once for each share, the vectors that repeat. Different
  // shares by different threads.
  void add_touches(BatchPart&, std::size_t thread, std::span<const Touch>,
                   std::span<const std::uint32_t> at, Index first);
  void add_repeated(BatchPart&, std::size_t thread, std::size_t share, RowGradients&);

 private:
  struct Touches {
    std::vector<Touch> touches;
    std::vector<std::uint32_t> at;
  };
  Network& network_;
  ModelPart& factors_;
  PartView view_;
  Index n_fields_, n_in_;
  Array<float> input_, known_input_, dinput_;  // (rows, n_in)
  Array<float> scores_, known_scores_, dscores_;
  std::optional<RepeatedVectors> repeated_;
  const CodedInput* coded_ = nullptr;  // of the batch at hand
  std::vector<Touches> some_;          // of each thread
  Workspace workspace_, known_workspace_;
};

// Scores of a few rows in prediction, by one thread.
class DeepRows {
 public:
  static constexpr Index kMost = 256;

  explicit DeepRows(Model&);
  // Row i, whose score by all but the network the worker has just computed.
  void add(Index i, float score, Worker&) noexcept;
  // Of the first n rows, until the next call.
  std::span<const float> scores(Index n);

 private:
  const Network& network_;
  ModelPart& factors_;
  PartView view_;
  Index n_fields_, n_in_;
  Array<float> input_, others_, scores_;
  Workspace workspace_;
};

}  // namespace pyfm
