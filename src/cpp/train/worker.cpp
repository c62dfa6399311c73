#include "train/worker.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "base/parallel.h"
#include "base/random.h"
#include "train/rows.h"

namespace pyfm {

float PartWorker::clipped(float dscore) noexcept {
  const float most = view.params.clip_norm;
  if (most == kNoLimit) return dscore;
  const float norm = std::abs(dscore) * std::sqrt(kernels->squared_slope(view, scratch.view()));
  return norm > most ? dscore * (most / norm) : dscore;
}

Worker::Worker(Model& model, const Dataset& data, Purpose purpose, int n_threads, bool numbered)
    : scores_(model.spec().n_outputs), max_row_nnz_(data.max_row_nnz()) {
  const ModelSpec& spec = model.spec();
  const Index n_fields = spec.has_fields() ? spec.n_fields : kMaxFields;
  const Index n_features = numbered ? model.rows().n_rows() : spec.n_features;
  filter_ = {numbered ? nullptr : model.rows().entries(),
             n_features,
             n_fields,
             data.n_features() <= n_features && data.n_fields() <= n_fields,
             model.rows().n_counted() > 0,
             purpose != Purpose::predict,
             model.columns()};
  normalize_ = spec.normalize;
  for (std::size_t i = 0; i < entries_.size(); ++i) buffers_.emplace_back(data.max_row_nnz());
  for (ModelPart& p : model.parts()) {
    const auto output = static_cast<std::uint32_t>(p.output);
    const bool begins = parts_.empty() || parts_.back().output != output;
    PartWorker& made =
        parts_.emplace_back(p.view(), &p.kernels(), p.scores, p.part == Part::linear, begins,
                            output, ScratchMemory(p.shape, data.max_row_nnz()));
    if (made.kernels->init_scratch && model.trainable())
      made.kernels->init_scratch(made.view, made.scratch.view());
    made.scratch.view().trains =
        purpose == Purpose::train || (purpose == Purpose::batch && !made.kernels->add_touches);
    made.scratch.view().fetches_slots = purpose != Purpose::predict;
    if (purpose == Purpose::train && n_threads > 1)
      made.hot.emplace(model, p, data, n_threads, made.view);
  }
}

void Worker::augment(const Augmenter& augmenter) {
  augmenter_ = augmenter;
  augmented_.assign(entries_.size(), RowBuffer(max_row_nnz_));
}

void Worker::look_up(Index i, const Row& given) noexcept {
  if (augmenter_)
    look_up_in(i, augmenter_->row(given, first_ + i, augmented_[slot(i)]));
  else
    look_up_in(i, given);
}

void Worker::look_up_in(Index i, const Row& row) noexcept {
  const float scale = normalize_ ? unit_length(row) : 1.0f;
  make_entries(row, scale, filter_, buffers_[slot(i)].view(), entries_[slot(i)]);
}

void Worker::locate(Index i) noexcept {
  for (PartWorker& p : parts_) {
    Entries& row = p.entries[slot(i)];
    row = entries_[slot(i)];
    row.size = p.size_of(entries_[slot(i)]);
    row.at = p.scratch.view().at[slot(i)];
    p.kernels->locate(p.view, row, row.at);
  }
}

float Worker::score(Index i) noexcept {
  return add_up([&](PartWorker& p) {
    p.scratch.view().next = p.entries[slot(i + kAhead)];
    return p.kernels->score(p.view, p.entries[slot(i)], p.scratch.view());
  });
}

float Worker::score(Index i, Index example, Progressive& stream) noexcept {
  const bool finds_new = stream.finds_new(entries(i));
  if (finds_new) {
    score_known(i, stream);
    stream.keep(example, scores());
  }
  const float last = score(i);  // what an update follows
  if (!finds_new) stream.keep(example, scores());
  return last;
}

float Worker::score_known(Index i, const Progressive& stream) noexcept {
  const Entries& all = entries(i);
  const std::size_t free = slot(i + kPreparedRows - 1);  // that of the row before
  EntryMemory& memory = buffers_[free].view();
  int n = 0, n_deep = 0;
  for (int e = 0; e < all.size; ++e) {
    memory.row[n] = all.row[e];
    memory.field[n] = all.field ? all.field[e] : static_cast<FieldId>(e);
    memory.x[n] = all.x[e];
    n += !stream.is_new(all.row[e]);
    if (e < all.n_deep) n_deep = n;
  }
  Entries known = {memory.row, memory.field, memory.x, n, n_deep, all.equal};
  return add_up([&](PartWorker& p) {
    known.size = p.sees_all ? n : n_deep;
    known.at = p.scratch.view().at[free];
    p.kernels->locate(p.view, known, known.at);
    p.scratch.view().next.size = 0;
    return p.kernels->score(p.view, known, p.scratch.view());
  });
}

void Worker::update(float dscore) noexcept {
  for (PartWorker& p : parts_) p.kernels->update(p.view, p.clipped(dscore), p.scratch.view());
}

void Worker::update(std::span<const float> dscores) noexcept {
  for (PartWorker& p : parts_)
    p.kernels->update(p.view, p.clipped(dscores[p.output]), p.scratch.view());
}

void Worker::seed_noise(std::uint64_t key) noexcept {
  for (PartWorker& p : parts_)
    for (std::uint32_t i = 0; i < 16; ++i)  // xorshift's state must not be 0
      p.scratch.view().noise[i] = static_cast<std::uint32_t>(random_key(key, i)) | 1u;
}

void Worker::save_noise(std::vector<NoiseState>& to) noexcept {
  for (std::size_t p = 0; p < to.size(); ++p)
    std::copy_n(parts_[p].scratch.view().noise, to[p].size(), to[p].data());
}

void Worker::load_noise(const std::vector<NoiseState>& from) noexcept {
  for (std::size_t p = 0; p < from.size(); ++p)
    std::copy_n(from[p].data(), from[p].size(), parts_[p].scratch.view().noise);
}

void Worker::end_block() noexcept {
  ++n_blocks_;
  for (PartWorker& p : parts_)
    if (p.hot) p.hot->merge_due(n_blocks_, p.view, p.scratch.view());
}

void Worker::merge_all() noexcept {
  for (PartWorker& p : parts_)
    if (p.hot) p.hot->merge_all(p.view, p.scratch.view());
}

void check_trainable(const Model& model, const Dataset& data) {
  const ModelSpec& spec = model.spec();
  if (!model.trainable())
    throw std::invalid_argument("this model has no optimizer state: it was made for prediction");
  if (data.n_features() > spec.n_features)
    throw std::invalid_argument("training data: expected at most " +
                                std::to_string(spec.n_features) + " features, found " +
                                std::to_string(data.n_features()));
  if (spec.has_fields() && data.n_fields() > spec.n_fields)
    throw std::invalid_argument("training data: expected at most " + std::to_string(spec.n_fields) +
                                " fields, found " + std::to_string(data.n_fields()));
}

void augment(std::vector<Worker>& workers, const Augmentation* augmentation, std::uint64_t seed,
             Index epoch) {
  if (!augmentation || !augmentation->changes_rows()) return;
  for (Worker& worker : workers) worker.augment({*augmentation, seed, epoch});
}

std::vector<Worker> make_workers(Model& model, const Dataset& data, int n_threads, Purpose purpose,
                                 bool numbered) {
  std::vector<Worker> workers;
  const int n = resolve_threads(n_threads);
  workers.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) workers.emplace_back(model, data, purpose, n, numbered);
  return workers;
}

}  // namespace pyfm
