// Table rows of later examples, asked for while one is computed.
#pragma once
#include <algorithm>

#include "base/fetch.h"
#include "model/lanes.h"
#include "model/scratch.h"

namespace pyfm::PYFM_ISA {
namespace {

template <class S>
[[gnu::always_inline]] inline void prefetch(const S* w, Index size) {
  constexpr Index line = 64 / sizeof(S);
  fetch_to_write(w);
  if (size > line) fetch_to_write(w + line);
  for (Index at = 2 * line; at < size; at += line) fetch_to_write(w + at);
}

// Rows so frequent (rows are in the order of frequency) that the second cache holds them, as a
// rule; to fetch them as well would cost more than it brings. `width`: numbers of a row that are
// used.
inline Index n_cached_rows(const PartView& view, Index width) {
  constexpr Index kCached = Index{1} << 20;  // bytes
  return kCached * view.shape.stride / (width * view.shape.row_bytes());
}

// Lists the next example's rows that are to be fetched.
[[gnu::always_inline]] inline void list_rows_to_fetch(const PartView& view, Scratch& s) {
  const Index used = s.fetches_slots ? view.shape.stride : view.shape.width;
  const Index held = std::max<Index>(view.n_hot, n_cached_rows(view, used));
  const RowId* const row = s.next.row;
  void* const* const at = s.next.at;
  void** const list = s.fetch;
  const int size = s.next.size;
  int n = 0;
  for (int e = 0; e < size; ++e) {
    list[n] = at[e];
    n += row[e] >= static_cast<RowId>(held);
  }
  s.n_fetch = n;
}

// Numbers of such a row that are fetched while this one is scored; the rest is while it is updated
// or its gradient is added up, which takes most of the time, and requests are best spread evenly:
// while many are on their way, what the second cache holds comes late to the first as well.
template <class S>
inline Index fetched_by_score(const PartView& view, const Scratch& s) {
  constexpr Index line = 64 / sizeof(S), share = 16;
  if (!s.trains) return view.shape.width;
  return (view.shape.stride / share + line - 1) / line * line;
}

// Memory of the next row comes in while this row is computed: numbers [begin, end) of the rows in
// s.fetch. A few lines with every tile, since a core that asks for many at once waits for them.
// `together`: so many lines of a row without a question between them, where tiles are large.
template <class S, int together>
class NextRows {
 public:
  NextRows(const Scratch& s, Index begin, Index end, Index n_tiles)
      : row_(s.fetch), last_(s.fetch + s.n_fetch), begin_(begin), end_(end), at_(begin) {
    constexpr Index piece = together * kLine;
    const Index lines = s.n_fetch * ((end - begin + piece - 1) / piece) * together;
    per_tile_ = static_cast<int>((lines + n_tiles - 1) / n_tiles);
  }

  [[gnu::always_inline]] void prefetch() {
    for (int i = 0; i < per_tile_ && row_ < last_; i += together) {
      const S* const lines = static_cast<const S*>(*row_) + at_;
      unroll<together>([&](auto l) { fetch_to_write(lines + l * kLine); });
      at_ += together * kLine;
      if (at_ >= end_) at_ = begin_, ++row_;
    }
  }

 private:
  static constexpr Index kLine = 64 / sizeof(S);
  void **row_, **last_;
  Index begin_, end_, at_;
  int per_tile_;
};

}  // namespace
}  // namespace pyfm::PYFM_ISA
