#include "train/batch_trainer.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/team.h"
#include "train/batch.h"
#include "train/deep_batch.h"
#include "train/row_gradients.h"
#include "train/summed_gradients.h"
#include "train/worker.h"

namespace pyfm {

namespace {

class BatchTrainer {
 public:
  BatchTrainer(Model& model, const Dataset& data, const Array<Index>& order,
               const EpochOptions& options)
      : model_(model),
        data_(data),
        order_(order.data()),
        options_(options),
        workers_(make_workers(model, data, options.n_threads, Purpose::batch, options.numbered)),
        shares_(workers_.size()),
        blocks_(kMaxBlocks, ExampleBlock(model.n_outputs(), shares_)),
        bias_gradients_(model.n_outputs()),
        at_(workers_.size()) {
    augment(workers_, options.augmentation, model.spec().seed, options.epoch);
    parts_.reserve(model.parts().size());
    for (ModelPart& p : model.parts()) {
      const BatchPart& part = parts_.emplace_back(p, model.network() != nullptr);
      steps_at_once_ &= !part.clips;
    }
    if (alone_) n_blocks_ = 1;  // whose entries, sums and scores are still in the cache
    list_gradients();
    if (!model.network()) return;
    const Index most = most_in_batch();
    deep_.emplace(model, most, options.stream != nullptr, static_cast<int>(workers_.size()));
    keep_fields_ = true;
    n_blocks_ = round_up(most, block_rows_) / block_rows_;  // a batch of a network is one piece
    blocks_.resize(std::max<std::size_t>(blocks_.size(), static_cast<std::size_t>(n_blocks_)),
                   ExampleBlock(1, shares_));
    for (BatchPart& p : parts_) p.sums.resize(n_blocks_ * kBlockRows * p.sum_stride);
  }

  LossSum run() {
    Team::run(static_cast<int>(workers_.size()), [&](Team& team) {
      team_ = &team;
      train_all();
    });
    return total_;
  }

 private:
  // Of all parts, which see the same entries; else of the linear one, and of the others.
  void list_gradients() {
    const Index n_rows = model_.rows().n_rows();
    const std::span<BatchPart> parts = parts_;
    const std::size_t n_linear = model_.columns() ? 1 : parts.size();
    gradients_.emplace_back(n_rows, shares_, parts.first(n_linear), false);
    if (n_linear < parts.size())
      gradients_.emplace_back(n_rows, shares_, parts.subspan(n_linear), true);
    RowGradients& last = gradients_.back();
    if (!last.from_sums()) return;
    const bool changes_rows = options_.augmentation && options_.augmentation->changes_rows();
    summed_.emplace(last, parts.size() - last.parts().size(), workers_, shares_,
                    data_.max_row_nnz(), steps_at_once_ && !changes_rows);
    block_rows_ = summed_->block_rows(), n_blocks_ = summed_->n_blocks();
  }

  void train_all() {
    const Index n = data_.n_rows(), batch = batch_size();
    EpochPosition* const position = options_.position;
    Index number = options_.stream ? model_.stream.n_batches : position ? position->n_batches : 0;
    if (position) total_ = position->sum;
    if (deep_ && !options_.stream && number == 0) model_.network()->layers().start_epoch();
    for (Index begin = 0; begin < n;) {
      Index end = std::min(begin + batch, n);
      if (joins_last() && n - end == 1) end = n;
      train(begin, end, number++);
      begin = end;
    }
    if (options_.stream) model_.stream.n_batches = number;
    if (position) position->n_batches = number;
  }

  Index batch_size() const {
    const Index n = data_.n_rows();
    return options_.batch_size == 0 ? n : std::min(options_.batch_size, n);
  }
  // Whether a last batch of one row is joined to the one before: one row has no variance.
  bool joins_last() const {
    return deep_ && model_.network()->normalizes() && options_.batch_size != 1;
  }
  Index most_in_batch() const { return std::min(batch_size() + 1, data_.n_rows()); }

  // body(thread, piece) for pieces 0 … n - 1, each by one of the threads.
  template <class F>
  void for_pieces(Index n, F&& body) {
    team_->pieces(n, [&](int thread, Index i) { body(static_cast<std::size_t>(thread), i); });
  }

  void train(Index begin, Index end, Index number) {
    const float share = share_of_example(begin, end);
    std::ranges::fill(bias_gradients_, 0.0);
    const Index most = n_blocks_ * block_rows_;
    if (summed_) summed_->begin_batch(data_, order_ + begin, end - begin, *team_);
    for (Index at = begin; at < end; at += most) {
      const Index last = std::min(at + most, end),
                  n_blocks = round_up(last - at, block_rows_) / block_rows_;
      // A batch is learned whole or not at all.
      if (at == begin || !summed_ || !summed_->steps_singles()) poll(at);
      for_pieces(n_blocks, [&](std::size_t thread, Index b) {
        const Index first = at + b * block_rows_;
        const Index end = std::min(first + block_rows_, last);
        if (summed_) seed_noise(thread, number);
        if (data_.is_selection())
          score<true>(thread, b, first, end, share);
        else
          score<false>(thread, b, first, end, share);
      });
      if (deep_) pass_network(begin, end, n_blocks, share, number);
      for (Index b = 0; b < n_blocks; ++b) {
        ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
        for (std::size_t o = 0; o < bias_gradients_.size(); ++o)
          bias_gradients_[o] += block.dscore(o);
        total_.add(block.loss);
      }
      std::size_t n_touches = 0;
      for (Index b = 0; b < n_blocks; ++b)
        n_touches += std::max(blocks_[static_cast<std::size_t>(b)].rows().size(),
                              summed_ ? summed_->n_sums(b) : 0);
      for (RowGradients& g : gradients_) g.reserve(n_touches);
      const bool steps = last == end && steps_at_once_;
      for_pieces(static_cast<Index>(shares_.size()), [&](std::size_t thread, Index i) {
        add_touches(thread, static_cast<std::size_t>(i), n_blocks);
        if (steps) step(thread, static_cast<std::size_t>(i), number);
      });
    }
    for (RowGradients& g : gradients_)
      for (BatchPart& p : g.parts()) {
        if (!p.clips) continue;
        if (p.kernels->step_bias)
          bias_gradients_[p.output] *= g.clip(p, bias_gradients_[p.output], *team_);
        else
          g.clip(p, 0, *team_);
      }
    if (!steps_at_once_)
      for_pieces(static_cast<Index>(shares_.size()), [&](std::size_t thread, Index i) {
        step(thread, static_cast<std::size_t>(i), number);
      });
    for (RowGradients& g : gradients_) g.end_batch();
    if (deep_) deep_->step(*team_);
    if (options_.stream)
      for (Index i = begin; i < end; ++i) options_.stream->meet(data_.row(order_[i]));
    for (BatchPart& p : parts_)
      if (p.kernels->step_bias && !p.frozen)
        p.kernels->step_bias(p.view, static_cast<float>(bias_gradients_[p.output]));
  }

  // The scores of a batch, its losses, and what the network makes of their gradients.
  void pass_network(Index begin, Index end, Index n_blocks, float share, Index number) {
    const std::uint64_t epoch = static_cast<std::uint64_t>(options_.epoch),
                        key = random_key(random_key(~model_.spec().seed, epoch),
                                         static_cast<std::uint64_t>(number));
    deep_->forward(end - begin, key, *team_);
    for (Index b = 0; b < n_blocks; ++b) {
      ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
      for (Index i = 0; i < block.size(); ++i) {
        const Index in_batch = b * block_rows_ + i, example = order_[begin + in_batch];
        if (options_.stream) options_.stream->add(example, deep_->known_score(in_batch));
        float& score = block.dscores(0)[static_cast<std::size_t>(i)];
        score += deep_->score(in_batch);
        finish(block, i, {&score, 1}, example, share);
        deep_->dscore(in_batch) = score;
      }
    }
    deep_->backward(end - begin, key, *team_);
  }

  // Adds up the loss of an example, the i-th of its block, and the gradients by its scores.
  void finish(ExampleBlock& block, Index i, std::span<float> scores, Index example, float share) {
    const float weight = data_.weight(example);
    block.loss.add(weight, model_.loss().slopes(scores, data_.y(example)));
    for (std::size_t o = 0; o < scores.size(); ++o) {
      const float gradient = weight * scores[o] * share;
      block.dscores(o)[static_cast<std::size_t>(i)] = gradient;
      block.dscore(o) += gradient;
    }
  }

  // 1 / Σ weight.
  float share_of_example(Index begin, Index end) const {
    double weight = static_cast<double>(end - begin);
    if (!data_.buffers().weight.empty()) {
      weight = 0;
      for (Index i = begin; i < end; ++i) weight += data_.weight(order_[i]);
    }
    return weight > 0 ? static_cast<float>(1 / weight) : 0.0f;
  }

  void poll(Index n_rows) {
    const auto now = std::chrono::steady_clock::now();
    if (!options_.poll || now - last_poll_ < std::chrono::milliseconds(100)) return;
    options_.poll(n_rows);
    last_poll_ = std::chrono::steady_clock::now();
  }

  template <bool selected>
  void score(std::size_t thread, Index b, Index begin, Index end, float share) {
    Worker& worker = workers_[thread];
    ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
    const Index size = end - begin;
    const Index* order = order_ + begin;
    const auto prepare = [&](Index i) {
      worker.prepare<selected, true>(data_, i, size, [&](Index r) { return order[r]; });
    };
    constexpr Index ahead = Worker::kAhead + 2;
    block.clear();
    if (summed_) summed_->begin_block(b);
    worker.begin_block((options_.position ? options_.position->n_rows : 0) + begin);
    for (Index i = 0; i < ahead; ++i) prepare(i);
    for (Index i = 0; i < size; ++i) {
      for (std::size_t p = 0; p < parts_.size(); ++p)
        if (parts_[p].kernels->add_touches)
          worker.scratch(p).sum =
              parts_[p].sums.data() + (b * kBlockRows + i) * parts_[p].sum_stride;
      if (deep_) {
        block.dscores(0)[static_cast<std::size_t>(i)] =
            score_for_network(worker, i, order[i], b * block_rows_ + i);
      } else {
        if (options_.stream)
          worker.score(i, order[i], *options_.stream);
        else
          worker.score(i);
        finish(block, i, worker.scores(), order[i], share);
      }
      if (summed_) summed_->add_example(b, i, worker.entries(i), block, thread);
      if (lists_touches()) block.add(worker.entries(i), keep_fields_);
      if (alone_ && !deep_)
        for (RowGradients& g : gradients_)
          if (!g.from_sums()) g.fetch_numbers(worker.entries(i));
      prepare(i + ahead);
    }
    if (summed_) summed_->end_block(b);
    if (lists_touches()) block.list_touches();
  }

  // Whether some gradients come from touches.
  bool lists_touches() const noexcept { return !summed_ || gradients_.size() > 1; }

  // The score without the network, whose input it prepares.
  float score_for_network(Worker& worker, Index i, Index example, Index in_batch) {
    Progressive* const stream = options_.stream;
    const bool finds_new = stream && stream->finds_new(worker.entries(i));
    if (finds_new) {
      const float score = worker.score_known(i, *stream);
      stream->keep(example, {&score, 1});
      deep_->embed_known(in_batch, worker);
    }
    const float score = worker.score(i);
    deep_->embed(in_batch, worker);
    if (stream && !finds_new) {
      stream->keep(example, {&score, 1});
      deep_->embed_known(in_batch, worker);
    }
    return score;
  }

  void add_touches(std::size_t thread, std::size_t i, Index n_blocks) {
    for (RowGradients& g : gradients_)
      if (g.from_sums())
        summed_->add_sums(i, n_blocks, at_[thread]);
      else
        add_touches(g, thread, i, n_blocks);
  }

  void add_touches(RowGradients& gradients, std::size_t thread, std::size_t i, Index n_blocks) {
    std::vector<std::uint32_t>& at = at_[thread];
    for (Index b = 0; b < n_blocks; ++b) {
      ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
      const std::span<const Touch> touches = gradients.touches(block, i);
      gradients.find(i, touches, at);
      if (b + 1 < n_blocks)
        gradients.fetch_numbers(gradients.touches(blocks_[static_cast<std::size_t>(b) + 1], i));
      else if (i + workers_.size() < shares_.size())  // what this thread does next, as a rule
        gradients.fetch_numbers(gradients.touches(blocks_.front(), i + workers_.size()));
      for (BatchPart& part : gradients.parts()) {
        if (part.frozen) continue;
        const auto n = static_cast<Index>(touches.size());
        if (part.embeds) deep_->add_touches(part, thread, touches, at, b * block_rows_);
        if (!part.scores) continue;
        const ExampleFacts facts = {block.dscores(part.output).data(),
                                    part.sums.data() + b * kBlockRows * part.sum_stride,
                                    part.sum_stride};
        part.kernels->add_touches(part.view, touches.data(), at.data(), n, facts,
                                  part.gradients.data());
      }
    }
    for (BatchPart& part : gradients.parts())
      if (part.embeds && !part.frozen) deep_->add_repeated(part, thread, i, gradients);
  }

  // The noise that rounds the rows of a batch is the same for all threads.
  void seed_noise(std::size_t thread, Index number) noexcept {
    workers_[thread].seed_noise(
        random_key(random_key(model_.spec().seed, static_cast<std::uint64_t>(options_.epoch)),
                   static_cast<std::uint64_t>(number)));
  }

  void step(std::size_t thread, std::size_t i, Index number) {
    if (gradients_.front().empty(i)) return;  // the others hold no more
    seed_noise(thread, number);
    for (RowGradients& g : gradients_) {
      for (BatchPart& part : g.parts()) {
        if (part.frozen) continue;
        const Scratch& scratch = workers_[thread].scratch(index_of(part));
        g.for_slabs(i, part, [&](std::span<const RowId> rows, Index n, const float* gradients) {
          part.kernels->step_rows(part.view, rows.data(), n, static_cast<Index>(rows.size()),
                                  gradients, scratch);
        });
      }
    }
  }

  std::size_t index_of(const BatchPart& part) const noexcept {
    return static_cast<std::size_t>(&part - parts_.data());
  }

  Model& model_;
  const Dataset& data_;
  Team* team_ = nullptr;
  const Index* order_;
  const EpochOptions& options_;
  std::vector<Worker> workers_;
  RowShares shares_;
  std::vector<BatchPart> parts_;
  std::optional<DeepBatch> deep_;
  const bool alone_ = workers_.size() == 1;
  bool keep_fields_ = false;
  Index block_rows_ = kBlockRows, n_blocks_ = kMaxBlocks;
  bool steps_at_once_ = true;  // each share as soon as its gradients are complete
  std::vector<ExampleBlock> blocks_;
  std::vector<double> bias_gradients_;          // of each score
  std::deque<RowGradients> gradients_;          // which do not move
  std::optional<SummedGradients> summed_;       // of the last, if they are
  std::vector<std::vector<std::uint32_t>> at_;  // of each thread
  LossSum total_;
  std::chrono::steady_clock::time_point last_poll_ = std::chrono::steady_clock::now();
};

}  // namespace

LossSum train_batches(Model& model, const Dataset& data, const Array<Index>& order,
                      const EpochOptions& options) {
  return BatchTrainer(model, data, order, options).run();
}

}  // namespace pyfm
