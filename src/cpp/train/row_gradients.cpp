#include "train/row_gradients.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace pyfm {

BatchPart::BatchPart(ModelPart& p, bool has_network)
    : kernels(&p.kernels()),
      view(p.view()),
      frozen(p.frozen),
      scores(p.scores),
      embeds(has_network && kernels->embed),
      clips(!p.frozen && p.optimizer.params.clip_norm != kNoLimit),
      output(p.output),
      gradient_width(kernels->gradient_width(p.shape)),
      sum_stride(round_up(p.shape.block, kFloatsApart)) {
  if (kernels->add_touches) sums = Array<float>(kMaxBlocks * kBlockRows * sum_stride);
}

RowGradients::RowGradients(Index n_rows, RowShares shares, std::span<BatchPart> parts,
                           bool deep_only)
    : parts_(parts),
      deep_only_(deep_only),
      from_sums_(std::ranges::any_of(
          parts, [](const BatchPart& p) { return p.kernels->add_touches == nullptr; })),
      shares_(shares.size()),
      number_of_(n_rows, shares) {}

void RowGradients::reserve(std::size_t n_rows) {
  const Index slabs = n_slabs_.load() + static_cast<Index>(n_rows / kSlab + shares_.size());
  for (BatchPart& p : parts_) p.gradients.resize(slabs * kSlab * p.gradient_width);
}

template <class T>
std::uint32_t RowGradients::find(std::size_t i, std::span<const T> touches,
                                 std::vector<std::uint32_t>& numbers) {
  TouchedRows& share = shares_[i];
  const std::size_t n_before = share.rows.size();
  const std::uint32_t first = number_of_.first();
  numbers.resize(touches.size());
  share.rows.resize(n_before + touches.size());
  std::size_t n = n_before;
  for (std::size_t t = 0; t < touches.size();) {
    const std::size_t end = std::min(t + std::size_t{kSlab}, touches.size());
    while (share.slabs.size() * std::size_t{kSlab} < n + end - t) share.slabs.push_back(new_slab());
    // There is room for all: which rows are new is as good as random, and no branch asks.
    for (; t < end; ++t) {
      const RowId r = touches[t].row;
      std::uint32_t& number = number_of_[r];
      const std::uint32_t is_new = number < first;
      number = number ^ ((number ^ (first + share.gradient(n))) & (0 - is_new));
      numbers[t] = number - first;
      share.rows[n] = r;
      n += is_new;
    }
  }
  share.rows.resize(n);
  return n > n_before ? share.gradient(n_before) : kNoGradient;
}

template std::uint32_t RowGradients::find(std::size_t, std::span<const Touch>,
                                          std::vector<std::uint32_t>&);
template std::uint32_t RowGradients::find(std::size_t, std::span<const RowSum>,
                                          std::vector<std::uint32_t>&);

Index RowGradients::new_slab() {
  const Index number = n_slabs_.fetch_add(1, std::memory_order_relaxed);
  if (!from_sums_)
    for (BatchPart& p : parts_) std::fill_n(p.slab(number), kSlab * p.gradient_width, 0.0f);
  return number;
}

double RowGradients::clip(BatchPart& part, double bias_gradient, Team& team) {
  // In an order that does not depend on the shares.
  std::array<double, RowShares::kMost> squares{};
  const auto n_shares = static_cast<Index>(shares_.size());
  team.pieces(n_shares, [&](int, Index i) {
    for_slabs(static_cast<std::size_t>(i), part,
              [&](std::span<const RowId> rows, Index n, const float* gradients) {
                std::array<double, kSlab> of_row;
                part.kernels->squared_norms(part.view, rows.data(), n, gradients, of_row.data());
                for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r)
                  squares[rows[r] % RowShares::kMost] += of_row[r];
              });
  });
  const double square =
      std::accumulate(squares.begin(), squares.end(), bias_gradient * bias_gradient);
  const auto factor = static_cast<float>(clip_factor(square, part.view.params.clip_norm));
  if (factor == 1) return 1;
  team.pieces(n_shares, [&](int, Index i) {
    for_slabs(static_cast<std::size_t>(i), part,
              [&](std::span<const RowId>, Index n, float* gradients) {
                const Index rows = from_sums_ ? n : kSlab;
                for (Index g = 0; g < rows * part.gradient_width; ++g) gradients[g] *= factor;
              });
  });
  return factor;
}

void RowGradients::end_batch() noexcept {
  for (TouchedRows& share : shares_) share.rows.clear(), share.slabs.clear();
  number_of_.forget(n_slabs_ * kSlab);
  n_slabs_ = 0;
}

}  // namespace pyfm
