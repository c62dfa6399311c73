#include "train/batch.h"

#include <cmath>

namespace pyfm {

double clip_factor(double square, float most) {
  const double norm = std::sqrt(square);
  return norm > static_cast<double>(most) ? static_cast<double>(most) / norm : 1;
}

void ExampleBlock::clear() {
  loss = weight = dscore = 0;
  ends_.clear(), forms_.clear(), rows_.clear(), fields_.clear(), x_.clear();
  share_begin_.fill(0);
}

void ExampleBlock::add(const Entries& e, bool keep_fields) {
  rows_.insert(rows_.end(), e.row, e.row + e.size);
  for (int i = 0; i < e.size; ++i) ++share_begin_[GradientMap::share(e.row[i]) + 1];
  x_.insert(x_.end(), e.x, e.x + e.size);
  if (keep_fields) {
    if (e.field)
      fields_.insert(fields_.end(), e.field, e.field + e.size);
    else
      fields_.resize(rows_.size());
    forms_.push_back({e.field != nullptr, e.equal});
  }
  ends_.push_back(rows_.size());
}

Entries ExampleBlock::entries(int example) const noexcept {
  const std::size_t at = begin(example);
  const Form form = forms_[static_cast<std::size_t>(example)];
  return {rows_.data() + at, form.has_fields ? fields_.data() + at : nullptr, x_.data() + at,
          static_cast<int>(ends_[static_cast<std::size_t>(example)] - at), form.equal};
}

void ExampleBlock::list_touches() {
  touches_.resize(rows_.size());
  for (std::size_t i = 0; i < kRowShares; ++i) share_begin_[i + 1] += share_begin_[i];
  std::array<std::size_t, kRowShares + 1> next = share_begin_;
  for (int i = 0; i < size(); ++i)
    for (std::size_t e = begin(i); e < ends_[static_cast<std::size_t>(i)]; ++e)
      touches_[next[GradientMap::share(rows_[e])]++] = {rows_[e], static_cast<std::uint16_t>(i),
                                                        field_of(i, e), x_[e]};
}

// 0 where fields were not kept.
FieldId ExampleBlock::field_of(int example, std::size_t entry) const noexcept {
  if (forms_.empty()) return 0;
  if (forms_[static_cast<std::size_t>(example)].has_fields) return fields_[entry];
  return static_cast<FieldId>(entry - begin(example));
}

std::span<Touch> ExampleBlock::touches(std::size_t share) noexcept {
  return {touches_.data() + share_begin_[share], share_begin_[share + 1] - share_begin_[share]};
}

}  // namespace pyfm
