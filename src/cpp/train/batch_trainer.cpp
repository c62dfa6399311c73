#include "train/batch_trainer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "base/team.h"
#include "train/batch.h"
#include "train/worker.h"

namespace pyfm {

namespace {

Index round_up(Index n, Index unit) {
  return (n + unit - 1) / unit * unit;
}

class BatchTrainer {
 public:
  BatchTrainer(Model& model, const Dataset& data, const Array<Index>& order,
               const EpochOptions& options)
      : model_(model),
        data_(data),
        order_(order.data()),
        options_(options),
        workers_(make_workers(model, data, options.n_threads, Purpose::batch)),
        blocks_(kMaxBlocks),
        shares_(kRowShares),
        at_(workers_.size()),
        gradient_of_(model.rows().n_rows()) {
    augment(workers_, options.augmentation, model.spec().seed, options.epoch);
    for (ModelPart& p : model.parts()) {
      Part& part = parts_.emplace_back();
      part.kernels = &p.kernels();
      part.view = p.view();
      part.needs_columns = part.kernels->add_columns != nullptr;
      part.gradient_width = part.kernels->gradient_width(p.shape);
      part.sum_stride = round_up(p.shape.block, kFloatsApart);
      if (!part.needs_columns) part.sums = Array<float>(kMaxBlocks * kBlockRows * part.sum_stride);
      part.clips = part.view.params.clip_norm != kNoLimit;
      if (part.needs_columns) {
        keep_fields_ = true;
        block_rows_ = 16, n_blocks_ = 4;  // so that rows are still in the cache for their gradients
      }
      steps_at_once_ &= !part.needs_columns && !part.clips;
    }
  }

  LossSum run() {
    Team::run(static_cast<int>(workers_.size()), [&](Team& team) {
      team_ = &team;
      train_all();
    });
    return total_;
  }

 private:
  void train_all() {
    const Index n = data_.n_rows();
    const Index batch = options_.batch_size == 0 ? n : std::min(options_.batch_size, n);
    Index number = options_.stream ? model_.stream.n_batches : 0;
    for (Index begin = 0; begin < n; begin += batch)
      train(begin, std::min(begin + batch, n), number++);
    if (options_.stream) model_.stream.n_batches = number;
  }

  struct Part {
    const PartKernels* kernels;
    PartView view;
    bool needs_columns, clips;
    Index gradient_width, sum_stride;
    Array<float> gradients;  // (slabs, kSlab × gradient_width)
    Array<float> sums;       // (examples at the same time, sum_stride) Scratch::sum of each

    float* slab(Index number) noexcept {
      return gradients.data() + number * kSlab * gradient_width;
    }
  };

  // body(thread, piece) for pieces 0 … n - 1, each by one of the threads.
  template <class F>
  void for_pieces(Index n, F&& body) {
    team_->pieces(n, [&](int thread, Index i) { body(static_cast<std::size_t>(thread), i); });
  }

  void train(Index begin, Index end, Index number) {
    const float share = share_of_example(begin, end);
    double bias_gradient = 0;
    const Index most = n_blocks_ * block_rows_;
    for (Index at = begin; at < end; at += most) {
      const Index last = std::min(at + most, end),
                  n_blocks = round_up(last - at, block_rows_) / block_rows_;
      poll(at);
      for_pieces(n_blocks, [&](std::size_t thread, Index b) {
        const Index first = at + b * block_rows_;
        score(thread, b, first, std::min(first + block_rows_, last), share);
      });
      for (Index b = 0; b < n_blocks; ++b) {
        const ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
        bias_gradient += block.dscore;
        total_.loss += block.loss, total_.weight += block.weight;
      }
      reserve(n_blocks);
      const bool steps = last == end && steps_at_once_;
      for_pieces(kRowShares, [&](std::size_t thread, Index i) {
        add_touches(thread, static_cast<std::size_t>(i), n_blocks);
        if (steps) step(thread, static_cast<std::size_t>(i), number);
      });
      for (std::size_t p = 0; p < parts_.size(); ++p)
        if (parts_[p].needs_columns) add_columns(p, n_blocks);
    }
    for (Part& p : parts_) {
      if (!p.clips) continue;
      if (p.kernels->step_bias)
        bias_gradient *= clip(p, bias_gradient);
      else
        clip(p, 0);
    }
    if (!steps_at_once_)
      for_pieces(kRowShares, [&](std::size_t thread, Index i) {
        step(thread, static_cast<std::size_t>(i), number);
      });
    n_slabs_ = 0;
    if (options_.stream)
      for (Index i = begin; i < end; ++i) options_.stream->meet(data_.row(order_[i]));
    for (Part& p : parts_)
      if (p.kernels->step_bias) p.kernels->step_bias(p.view, static_cast<float>(bias_gradient));
  }

  // body(rows, n, gradients) for the slabs of a share.
  template <class F>
  static void for_slabs(const RowShare& share, Part& part, F&& body) {
    const auto n = static_cast<Index>(share.rows.size());
    for (Index at = 0; at < n; at += kSlab)
      body(share.rows.data() + at, std::min(kSlab, n - at),
           part.slab(share.slabs[static_cast<std::size_t>(at / kSlab)]));
  }

  // Scales the gradients of a part's weights down to the norm allowed; returns the factor.
  double clip(Part& part, double bias_gradient) {
    std::array<double, kRowShares> squares{};
    for_pieces(kRowShares, [&](std::size_t, Index i) {
      for_slabs(shares_[static_cast<std::size_t>(i)], part,
                [&](const RowId* rows, Index n, const float* gradients) {
                  squares[static_cast<std::size_t>(i)] +=
                      part.kernels->squared_norm(part.view, rows, n, gradients);
                });
    });
    const double square =
        std::accumulate(squares.begin(), squares.end(), bias_gradient * bias_gradient);
    const double norm = std::sqrt(square), most = static_cast<double>(part.view.params.clip_norm);
    if (!(norm > most)) return 1;
    const auto factor = static_cast<float>(most / norm);
    for_pieces(kRowShares, [&](std::size_t, Index i) {
      for_slabs(shares_[static_cast<std::size_t>(i)], part,
                [&](const RowId*, Index n, float* gradients) {
                  const Index rows = part.needs_columns ? n : kSlab;
                  for (Index g = 0; g < rows * part.gradient_width; ++g) gradients[g] *= factor;
                });
    });
    return factor;
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

  void score(std::size_t thread, Index b, Index begin, Index end, float share) {
    Worker& worker = workers_[thread];
    ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
    const Index size = end - begin;
    const Index* order = order_ + begin;
    const auto prepare = [&](Index i) {
      if (i + Worker::kDataAhead < size) data_.prefetch(order[i + Worker::kDataAhead]);
      worker.prepare(i, size, [&](Index r) { return data_.row(order[r]); });
    };
    constexpr Index ahead = Worker::kAhead + 2;
    block.clear();
    worker.begin_block(begin);
    for (Index i = 0; i < ahead; ++i) prepare(i);
    for (Index i = 0; i < size; ++i) {
      for (std::size_t p = 0; p < parts_.size(); ++p)
        if (!parts_[p].needs_columns)
          worker.scratch(p).sum =
              parts_[p].sums.data() + (b * kBlockRows + i) * parts_[p].sum_stride;
      const float score =
          options_.stream ? worker.score(i, order[i], *options_.stream) : worker.score(i);
      const float weight = data_.weight(order[i]);
      const auto [value, dscore] = model_.loss().value(score, data_.y(order[i]));
      block.add(worker.entries(i), keep_fields_);
      prepare(i + ahead);
      const float gradient = weight * dscore * share;
      block.dscores[static_cast<std::size_t>(i)] = gradient;
      block.dscore += gradient;
      block.loss += weight * value;
      block.weight += weight;
    }
    block.list_touches();
  }

  // Room for the gradients of as many rows as the blocks may touch.
  void reserve(Index n_blocks) {
    std::size_t touches = 0;
    for (Index b = 0; b < n_blocks; ++b)
      touches += blocks_[static_cast<std::size_t>(b)].rows().size();
    const Index slabs = n_slabs_.load() + static_cast<Index>(touches / kSlab + kRowShares);
    for (Part& p : parts_) p.gradients.resize(slabs * kSlab * p.gradient_width);
  }

  void add_touches(std::size_t thread, std::size_t i, Index n_blocks) {
    std::vector<std::uint32_t>& at = at_[thread];
    for (Index b = 0; b < n_blocks; ++b) {
      ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
      const std::span<const Touch> touches = block.touches(i);
      find_gradients(shares_[i], touches, at);
      if (b + 1 < n_blocks)
        for (const Touch& t : blocks_[static_cast<std::size_t>(b) + 1].touches(i))
          __builtin_prefetch(&gradient_of_[t.row], 1);
      for (Part& part : parts_) {
        if (part.needs_columns) continue;
        const ExampleFacts facts = {block.dscores.data(),
                                    part.sums.data() + b * kBlockRows * part.sum_stride,
                                    part.sum_stride};
        part.kernels->add_touches(part.view, touches.data(), at.data(),
                                  static_cast<Index>(touches.size()), facts, part.gradients.data());
      }
    }
  }

  // The share will be stepped soon.
  static void fetch_row(const PartView& view, RowId r) {
    const Index bytes = view.shape.row_bytes();
    const char* row = static_cast<const char*>(view.rows) + Index{r} * bytes;
    for (Index at = 0; at < std::min<Index>(bytes, 256); at += 64)
      __builtin_prefetch(row + at, 1, 2);
  }

  // The numbers of the gradients of the touched rows; those that are new start at 0.
  void find_gradients(RowShare& share, std::span<const Touch> touches,
                      std::vector<std::uint32_t>& numbers) {
    numbers.resize(touches.size());
    for (std::size_t i = 0; i < touches.size(); ++i) {
      std::uint32_t& number = gradient_of_[touches[i].row];
      if (number == 0) {
        const auto n = static_cast<Index>(share.rows.size());
        if (n % kSlab == 0) share.slabs.push_back(new_slab());
        share.rows.push_back(touches[i].row);
        number = share.gradient(n) + 1;
        for (Part& p : parts_) {
          if (p.needs_columns)  // long rows: slabs of zeros would be too many
            std::fill_n(p.gradients.data() + Index{number - 1} * p.gradient_width, p.gradient_width,
                        0.0f);
          else
            fetch_row(p.view, touches[i].row);
        }
      }
      numbers[i] = number - 1;
    }
  }

  Index new_slab() {
    const Index number = n_slabs_.fetch_add(1, std::memory_order_relaxed);
    for (Part& p : parts_)
      if (!p.needs_columns) std::fill_n(p.slab(number), kSlab * p.gradient_width, 0.0f);
    return number;
  }

  void add_columns(std::size_t p, Index n_blocks) {
    Part& part = parts_[p];
    float* const gradients = part.gradients.data();
    const Index width = part.gradient_width;
    for_pieces(n_blocks, [&](std::size_t, Index b) {
      ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
      const std::span<const RowId> rows = block.rows();
      block.gradients.resize(rows.size());
      for (std::size_t e = 0; e < rows.size(); ++e)
        block.gradients[e] = gradients + Index{gradient_of_[rows[e]] - 1} * width;
    });
    const int n_groups = part.kernels->n_column_groups(part.view);
    const int n = std::min(n_groups, team_->size());
    for_pieces(n, [&](std::size_t thread, Index i) {
      const int piece = static_cast<int>(i);
      add_columns(p, n_blocks, thread, n_groups * piece / n, n_groups * (piece + 1) / n);
    });
  }

  void add_columns(std::size_t p, Index n_blocks, std::size_t thread, int begin, int end) {
    const Part& part = parts_[p];
    Scratch& scratch = workers_[thread].scratch(p);
    const auto entries = [&](Index b, int i, std::size_t slot) {
      Entries row = blocks_[static_cast<std::size_t>(b)].entries(i);
      row.at = scratch.at[slot];
      part.kernels->locate(part.view, row, row.at);
      return row;
    };
    std::size_t slot = 0;
    Entries row = entries(0, 0, slot);
    for (Index b = 0; b < n_blocks; ++b) {
      const ExampleBlock& block = blocks_[static_cast<std::size_t>(b)];
      for (int i = 0; i < block.size(); ++i) {
        const bool same = i + 1 < block.size(), more = same || b + 1 < n_blocks;
        const Index next_b = same ? b : b + 1;
        const int next_i = same ? i + 1 : 0;
        ExampleColumns columns = {begin, end, block.dscores[static_cast<std::size_t>(i)],
                                  block.gradients.data() + block.begin(i), nullptr};
        slot ^= 1;
        if (more) {
          const ExampleBlock& next = blocks_[static_cast<std::size_t>(next_b)];
          scratch.next = entries(next_b, next_i, slot);
          columns.next_gradient = next.gradients.data() + next.begin(next_i);
        } else {
          scratch.next.size = 0;
        }
        part.kernels->add_columns(part.view, row, columns, scratch);
        row = scratch.next;
      }
    }
  }

  void step(std::size_t thread, std::size_t i, Index number) {
    RowShare& share = shares_[i];
    if (share.rows.empty()) return;
    workers_[thread].seed_noise(
        random_key(random_key(model_.spec().seed, static_cast<std::uint64_t>(options_.epoch)),
                   static_cast<std::uint64_t>(number)));
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const Part& part = parts_[p];
      for_slabs(share, parts_[p], [&](const RowId* rows, Index n, const float* gradients) {
        part.kernels->step_rows(part.view, rows, n, gradients, workers_[thread].scratch(p));
      });
    }
    for (const RowId r : share.rows) gradient_of_[r] = 0;
    share.rows.clear();
    share.slabs.clear();
  }

  Model& model_;
  const Dataset& data_;
  Team* team_ = nullptr;
  const Index* order_;
  const EpochOptions& options_;
  std::vector<Worker> workers_;
  std::vector<Part> parts_;
  bool keep_fields_ = false;
  Index block_rows_ = kBlockRows, n_blocks_ = kMaxBlocks;
  bool steps_at_once_ = true;  // each share as soon as its gradients are complete
  std::vector<ExampleBlock> blocks_;
  std::vector<RowShare> shares_;
  std::vector<std::vector<std::uint32_t>> at_;  // of each thread
  std::atomic<Index> n_slabs_{0};
  GradientMap gradient_of_;
  LossSum total_;
  std::chrono::steady_clock::time_point last_poll_ = std::chrono::steady_clock::now();
};

}  // namespace

LossSum train_batches(Model& model, const Dataset& data, const Array<Index>& order,
                      const EpochOptions& options) {
  return BatchTrainer(model, data, order, options).run();
}

}  // namespace pyfm
