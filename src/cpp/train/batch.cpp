#include "train/batch.h"

namespace pyfm {

void ExampleBlock::clear() {
  loss = weight = dscore = 0;
  ends_.clear(), forms_.clear(), rows_.clear(), fields_.clear(), x_.clear();
}

void ExampleBlock::add(const Entries& e, bool keep_fields) {
  rows_.insert(rows_.end(), e.row, e.row + e.size);
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
  std::array<std::size_t, kRowShares + 1> next{};
  for (const RowId r : rows_) ++next[GradientMap::share(r) + 1];
  for (std::size_t i = 0; i < kRowShares; ++i) next[i + 1] += next[i];
  share_begin_ = next;
  for (int i = 0; i < size(); ++i)
    for (std::size_t e = begin(i); e < ends_[static_cast<std::size_t>(i)]; ++e)
      touches_[next[GradientMap::share(rows_[e])]++] = {rows_[e], static_cast<std::uint32_t>(i),
                                                        x_[e]};
}

std::span<Touch> ExampleBlock::touches(std::size_t share) noexcept {
  return {touches_.data() + share_begin_[share], share_begin_[share + 1] - share_begin_[share]};
}

}  // namespace pyfm
