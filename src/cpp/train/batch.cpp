#include "train/batch.h"

#include <cmath>

namespace pyfm {

double clip_factor(double square, float most) {
  const double norm = std::sqrt(square);
  return norm > static_cast<double>(most) ? static_cast<double>(most) / norm : 1;
}

void ExampleBlock::clear() {
  loss = {};
  for (Output& output : outputs_) output.dscore = 0;
  ends_.clear(), deep_ends_.clear(), rows_.clear(), fields_.clear(), x_.clear();
  heap_begin_.fill(0);
}

void ExampleBlock::add(const Entries& e, bool keep_fields) {
  deep_ends_.push_back(rows_.size() + static_cast<std::size_t>(e.n_deep));
  rows_.insert(rows_.end(), e.row, e.row + e.size);
  if (shares_.size() == 1) {
    heap_begin_[1] += static_cast<std::size_t>(e.n_deep);
    heap_begin_[2] += static_cast<std::size_t>(e.size - e.n_deep);
  } else {
    for (int i = 0; i < e.n_deep; ++i) ++heap_begin_[2 * shares_.of(e.row[i]) + 1];
    for (int i = e.n_deep; i < e.size; ++i) ++heap_begin_[2 * shares_.of(e.row[i]) + 2];
  }
  x_.insert(x_.end(), e.x, e.x + e.size);
  if (keep_fields) {
    if (e.field)
      fields_.insert(fields_.end(), e.field, e.field + e.size);
    else
      for (int i = 0; i < e.size; ++i) fields_.push_back(static_cast<FieldId>(i));
  }
  ends_.push_back(rows_.size());
}

void ExampleBlock::list_touches() {
  touches_.resize(rows_.size());
  for (std::size_t i = 0; i < 2 * shares_.size(); ++i) heap_begin_[i + 1] += heap_begin_[i];
  std::array<std::size_t, 2 * RowShares::kMost + 1> next = heap_begin_;
  for (int i = 0; i < size(); ++i) {
    const auto touch = [&](std::size_t e) {
      return Touch{rows_[e], static_cast<std::uint16_t>(i),
                   fields_.empty() ? FieldId{0} : fields_[e], x_[e]};
    };
    const auto list = [&](std::size_t first, std::size_t last, std::size_t heap) {
      if (shares_.size() == 1) {
        Touch* to = touches_.data() + next[heap];
        for (std::size_t e = first; e < last; ++e) *to++ = touch(e);
        next[heap] += last - first;
      } else {
        for (std::size_t e = first; e < last; ++e)
          touches_[next[2 * shares_.of(rows_[e]) + heap]++] = touch(e);
      }
    };
    const auto at = static_cast<std::size_t>(i);
    list(begin(i), deep_ends_[at], 0);
    list(deep_ends_[at], ends_[at], 1);
  }
}

}  // namespace pyfm
