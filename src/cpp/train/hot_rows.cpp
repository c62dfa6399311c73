#include "train/hot_rows.h"

#include <algorithm>
#include <cmath>

namespace pyfm {

namespace {

// Memory of the copies: about what the private cache of a core holds beside everything else.
constexpr Index kHotBytes = Index{1} << 19;
// A row that comes up so rarely that much of a private cache (of the larger sort) was replaced
// meanwhile travels through the shared cache or memory anyway.
constexpr double kCacheBytes = 1 << 21;
// A row that is in every second example is merged after every block (64 own updates in a block of
// 128 examples), and rarer ones after about as many updates.
constexpr double kEveryBlock = 0.5;

constexpr Index kBiasFloats = 64;  // far from each other and from everything else

}  // namespace

HotRows::HotRows(Model& model, ModelPart& part, const Dataset& data, PartView& view)
    : model_(model), kernels_(part.kernels()), has_bias_(view.bias != nullptr) {
  const Index row_bytes = part.shape.row_bytes();
  const Index line_bytes = std::max<Index>(row_bytes, 64);
  const double least = static_cast<double>(line_bytes) * data.mean_row_nnz() / 2 / kCacheBytes;
  const auto n_candidates = static_cast<RowId>(std::min(
      static_cast<Index>(model.hot.size()), kHotBytes / model.spec().n_outputs / row_bytes));
  RowId n_hot = 1;  // row 0, the zeros
  for (; n_hot <= n_candidates && model.hot[n_hot - 1] > least; ++n_hot) {
    const double blocks = kEveryBlock / model.hot[n_hot - 1];
    const auto c = static_cast<std::size_t>(std::log2(std::max(1.0, blocks)));
    if (c >= ends_.size()) ends_.resize(c + 1, n_hot);
    ends_.back() = n_hot + 1;
  }
  copies_ = Array<char>(n_hot * row_bytes);
  base_ = Array<char>(n_hot * row_bytes);
  for (Array<char>* to : {&copies_, &base_})
    std::copy_n(part.rows.data(), n_hot * row_bytes, to->data());
  view.n_hot = n_hot;
  view.hot = copies_.data();
  view.base = base_.data();
  if (!has_bias_) return;
  bias_ = Array<float>(2 * kBiasFloats);
  view.shared_bias = view.bias;
  view.bias = bias_.data();
  view.base_bias = bias_.data() + kBiasFloats;
  for (float* to : {view.bias, view.base_bias}) std::copy_n(view.shared_bias, part.bias.size(), to);
}

void HotRows::merge_due(Index n_blocks, const PartView& view, const Scratch& scratch) {
  if (has_bias_) merge(0, 1, view, scratch);
  RowId begin = 1;
  for (std::size_t c = 0; c < ends_.size() && n_blocks % (Index{1} << c) == 0; ++c) {
    merge(begin, ends_[c], view, scratch);
    begin = ends_[c];
  }
}

void HotRows::merge_all(const PartView& view, const Scratch& scratch) {
  merge(has_bias_ ? 0 : 1, view.n_hot, view, scratch);
}

void HotRows::merge(RowId begin, RowId end, const PartView& view, const Scratch& scratch) {
  constexpr RowId ahead = 4;
  const Index bytes = view.shape.row_bytes();
  for (RowId r = begin; r < end; ++r) {
    if (r + ahead < end) {
      const char* next = static_cast<const char*>(view.rows) + Index{r + ahead} * bytes;
      for (Index at = 0; at < bytes; at += 64) __builtin_prefetch(next + at, 1);
    }
    const std::lock_guard lock(model_.row_lock(r));
    kernels_.merge_row(view, r, scratch);
  }
}

}  // namespace pyfm
