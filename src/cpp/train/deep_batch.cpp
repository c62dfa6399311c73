#include "train/deep_batch.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/memory.h"

namespace pyfm {

namespace {

// What the layers of a network keep of each example, roughly: some matrices for each hidden width.
double bytes_of_row(const TowerSpec& tower, bool is_stream) {
  double floats = static_cast<double>(tower.n_in) * (is_stream ? 3 : 2);
  const int matrices = 2 + tower.batch_norm + (tower.dropout != 0) + (tower.residual != 0);
  for (const Index width : tower.hidden) floats += static_cast<double>(width) * matrices;
  return floats * sizeof(float);
}

void check_batch(const TowerSpec& tower, Index rows, bool is_stream, double more_of_row) {
  const double bytes = (bytes_of_row(tower, is_stream) + more_of_row) * static_cast<double>(rows);
  const auto available = static_cast<double>(available_memory());
  if (bytes <= available) return;
  char text[160];
  std::snprintf(text, sizeof text,
                "a batch of %lld rows needs %.2f GB in the network's layers, but %.2f GB are "
                "available: use a smaller batch_size",
                static_cast<long long>(rows), bytes / 1e9, available / 1e9);
  throw OutOfMemory(text);
}

// The factors are the last part.
void embed_row(const ModelPart& factors, const PartView& view, Worker& worker, Index n_fields,
               float* to) noexcept {
  factors.kernels().embed(view, worker.last_scratch().row, n_fields, to);
}

}  // namespace

DeepBatch::DeepBatch(Model& model, Index most_rows, bool is_stream, int n_threads)
    : network_(*model.network()),
      factors_(*model.find(Part::fm)),
      view_(factors_.view()),
      n_fields_(model.spec().n_deep_fields()),
      n_in_(network_.layers().n_in()),
      some_(static_cast<std::size_t>(n_threads)) {
  const Index width = n_in_ / n_fields_;
  const Dense* const first = network_.first_dense();
  const bool repeats = first && RepeatedVectors::pay(most_rows, n_fields_, width, first->n_out());
  check_batch(model.spec().tower, most_rows, is_stream,
              repeats ? RepeatedVectors::bytes_of_row(n_fields_, width, first->n_out()) : 0);
  if (repeats) repeated_.emplace(most_rows, n_fields_, width, RowShares(some_.size()));
  input_ = Array<float>(most_rows * n_in_);
  dinput_ = Array<float>(most_rows * n_in_);
  scores_ = Array<float>(most_rows);
  dscores_ = Array<float>(most_rows);
  if (!is_stream) return;
  known_input_ = Array<float>(most_rows * n_in_);
  known_scores_ = Array<float>(most_rows);
}

DeepBatch::~DeepBatch() {
  if (repeated_) network_.first_dense()->set_input(nullptr);
}

void DeepBatch::embed(Index i, Worker& worker) noexcept {
  if (repeated_) repeated_->note(i, worker.last_scratch().row);
  embed_row(factors_, view_, worker, n_fields_, input_.data() + i * n_in_);
}

void DeepBatch::embed_known(Index i, Worker& worker) noexcept {
  embed_row(factors_, view_, worker, n_fields_, known_input_.data() + i * n_in_);
}

void DeepBatch::forward(Index n, std::uint64_t key, Team& team) {
  if (!known_scores_.empty())
    network_.layers().predict({known_input_.data(), n, n_in_, n_in_},
                              {known_scores_.data(), n, 1, 1}, known_workspace_, team);
  if (repeated_) {
    coded_ = repeated_->find(n, {input_.data(), n, n_in_, n_in_}, {dinput_.data(), n, n_in_, n_in_},
                             team);
    network_.first_dense()->set_input(coded_);
  }
  network_.layers().forward({input_.data(), n, n_in_, n_in_}, {scores_.data(), n, 1, 1}, workspace_,
                            {team, key});
}

void DeepBatch::backward(Index n, std::uint64_t key, Team& team) {
  const bool wanted = !factors_.frozen;
  if (network_.frozen() && !wanted) return;
  network_.layers().backward(
      {input_.data(), n, n_in_, n_in_}, {scores_.data(), n, 1, 1}, {dscores_.data(), n, 1, 1},
      wanted ? Matrix{dinput_.data(), n, n_in_, n_in_} : Matrix{}, workspace_, {team, key});
}

void DeepBatch::add_touches(BatchPart& part, std::size_t thread, std::span<const Touch> touches,
                            std::span<const std::uint32_t> at, Index first) {
  if (coded_) {
    Touches& plain = some_[thread];
    repeated_->keep_plain(touches, at, plain.touches, plain.at);
    touches = plain.touches, at = plain.at;
  }
  part.kernels->add_embedded(part.view, touches.data(), at.data(),
                             static_cast<Index>(touches.size()),
                             {dinput_.data() + first * n_in_, n_in_}, part.gradients.data());
}

void DeepBatch::add_repeated(BatchPart& part, std::size_t thread, std::size_t share,
                             RowGradients& gradients) {
  if (!coded_) return;
  Touches& some = some_[thread];
  some.touches.clear(), some.at.clear();
  for (const RepeatedVectors::Vector& v : repeated_->vectors(share)) {
    some.touches.push_back({v.row, static_cast<std::uint16_t>(v.number), 0, 1.0f});
    some.at.push_back(static_cast<std::uint32_t>(gradients.number(v.row)));
  }
  const ConstMatrix from = coded_->dvectors;
  part.kernels->add_embedded(part.view, some.touches.data(), some.at.data(),
                             static_cast<Index>(some.touches.size()), {from.data, from.stride},
                             part.gradients.data());
}

void DeepBatch::step(Team& team) {
  if (!network_.frozen()) network_.step(team);
}

DeepRows::DeepRows(Model& model)
    : network_(*model.network()),
      factors_(*model.find(Part::fm)),
      view_(factors_.view()),
      n_fields_(model.spec().n_deep_fields()),
      n_in_(network_.layers().n_in()),
      input_(kMost * n_in_),
      others_(kMost),
      scores_(kMost) {}

void DeepRows::add(Index i, float score, Worker& worker) noexcept {
  others_[i] = score;
  embed_row(factors_, view_, worker, n_fields_, input_.data() + i * n_in_);
}

// A BLAS adds up the last rows of a product in another order than the others. With some rows more,
// whatever is in them, a row's score does not depend on how many follow it. (On its place it still
// may: OpenBLAS's kernels for Haswell take turns, six rows in one order and six in another.)
std::span<const float> DeepRows::scores(Index n) {
  constexpr Index unit = 16;
  static_assert(kMost % unit == 0);
  const Index rows = (n + unit - 1) / unit * unit;
  network_.layers().predict({input_.data(), rows, n_in_, n_in_}, {scores_.data(), rows, 1, 1},
                            workspace_, Team::alone());
  for (Index i = 0; i < n; ++i) scores_[i] += others_[i];
  return scores_.view().first(static_cast<std::size_t>(n));
}

}  // namespace pyfm
