// The network's side of a batch: its input, which the factors fill, its scores, and what it sends
// back to the factors.
#pragma once
#include <cstdint>
#include <span>

#include "base/array.h"
#include "base/team.h"
#include "model/batch.h"
#include "train/model.h"
#include "train/worker.h"

namespace pyfm {

class DeepBatch {
 public:
  // For batches of at most so many rows, which a stream also scores as they would be in prediction.
  // Throws OutOfMemory before it takes memory that the machine does not have.
  DeepBatch(Model&, Index most_rows, bool is_stream);

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

  // Of the examples from i on.
  EmbeddingGradients gradients(Index i) const noexcept {
    return {dinput_.data() + i * n_in_, n_in_};
  }

 private:
  Network& network_;
  ModelPart& factors_;
  PartView view_;
  Index n_fields_, n_in_;
  Array<float> input_, known_input_, dinput_;  // (rows, n_in)
  Array<float> scores_, known_scores_, dscores_;
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
