#include "train/hot_rows.h"

#include <algorithm>
#include <cmath>

#include "base/fetch.h"

namespace pyfm {

namespace {

// Memory of the copies: more than the private cache of a core holds, since what another core has
// written comes later than what lies in the shared cache, and far later from a core that has
// another shared cache.
constexpr Index kHotBytes = Index{1} << 21;
// A row that comes up so rarely that much of a private cache (of the larger sort) was replaced
// meanwhile is worth a copy if this thread steps it so many times that making and merging the copy
// do not count; if much of a shared cache was replaced, it comes from memory anyway.
constexpr double kPrivateBytes = 1 << 21, kSharedBytes = 1 << 25;
constexpr double kOwnSteps = 8;
// A row that is in every second example is merged after every block (64 own updates in a block of
// 128 examples), and rarer ones after about as many updates.
constexpr double kEveryBlock = 0.5;

// Rows that one lock is for: taking it costs about as much as merging one.
constexpr RowId kLockedRows = 16;
// Bytes of shared rows that are on their way while others are merged.
constexpr Index kFetchBytes = 2048;

constexpr Index kBiasFloats = 64;  // far from each other and from everything else

}  // namespace

HotRows::HotRows(Model& model, ModelPart& part, const Dataset& data, int n_threads, PartView& view)
    : model_(model), kernels_(part.kernels()), has_bias_(view.bias != nullptr) {
  const Index row_bytes = part.shape.row_bytes();
  const Index line_bytes = std::max<Index>(row_bytes, 64);
  // Over a row's frequency: the bytes that pass through the caches from one example with it to the
  // next.
  const double passing = static_cast<double>(line_bytes) * data.mean_row_nnz() / 2;
  const double own_rows = static_cast<double>(std::max<Index>(data.n_rows(), 1)) / n_threads;
  const double least =
      std::min(passing / kPrivateBytes, std::max(passing / kSharedBytes, kOwnSteps / own_rows));
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
  const Index bytes = view.shape.row_bytes();
  const RowId ahead = static_cast<RowId>(std::clamp<Index>(kFetchBytes / bytes, 1, kLockedRows));
  const auto fetch_rows = [&](RowId from, RowId to) {
    const char* const rows = static_cast<const char*>(view.rows);
    for (Index at = from * bytes; at < std::min(to, end) * bytes; at += 64)
      fetch_to_write(rows + at);
  };
  fetch_rows(begin, begin + ahead);
  for (RowId r = begin; r < end;) {
    const RowId stop = std::min(end, (r / kLockedRows + 1) * kLockedRows);
    fetch_rows(r + ahead, stop + ahead);
    const std::lock_guard lock(model_.row_lock(r / kLockedRows));
    kernels_.merge_rows(view, r, stop, scratch);
    r = stop;
  }
}

}  // namespace pyfm
