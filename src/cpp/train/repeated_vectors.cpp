#include "train/repeated_vectors.h"

#include <algorithm>
#include <bit>

namespace pyfm {

namespace {

constexpr RowId kNoRow = 0;  // of an example without the field: its vector is that row, of zeros
constexpr RowId kOther = ~RowId{0};  // what a field holds is no row of the table

// What a vector costs by itself is won back where it stands for so many rows. All vectors together
// are at most `kPerRow` times the batch, so that their products stay in the cache.
constexpr Index kRepeats = 3, kPerRow = 2;
constexpr Index kMinWidth = 8, kMinWeights = 1536, kMostRows = 8192;
static_assert(kPerRow * kMostRows <= 1 << 16);  // a vector's number takes the place of an example's

// Of a table row, in a map of a power of two of places.
std::size_t place(RowId row, std::size_t size) {
  return static_cast<std::size_t>(row * 0x9E3779B1u >> 7) & (size - 1);
}

}  // namespace

bool RepeatedVectors::pay(Index most_rows, Index n_fields, Index width, Index n_out) {
  return n_fields > 1 && width >= kMinWidth && width * n_out >= kMinWeights &&
         most_rows >= kPieceRows && most_rows <= kMostRows;
}

double RepeatedVectors::bytes_of_row(Index n_fields, Index width, Index n_out) {
  return 4.0 * static_cast<double>(2 * n_fields + kPerRow * (2 * width + n_out));
}

RepeatedVectors::RepeatedVectors(Index most_rows, Index n_fields, Index width, RowShares shares)
    : most_rows_(most_rows),
      n_fields_(n_fields),
      shares_(shares),
      codes_of_field_(n_fields * most_rows),
      codes_(n_fields * most_rows),
      vectors_(kPerRow * most_rows * width),
      dvectors_(kPerRow * most_rows * width),
      fields_(static_cast<std::size_t>(n_fields)) {
  input_.width = width;
}

void RepeatedVectors::note(Index i, const Entries& entries) noexcept {
  const auto id = [&](Index field) -> RowId& { return codes_of_field_[field * most_rows_ + i]; };
  const bool all = !entries.field && entries.size == n_fields_;
  if (!all)
    for (Index f = 0; f < n_fields_; ++f) id(f) = kNoRow;
  for (int e = 0; e < entries.size; ++e) {
    RowId& found = id(entries.field ? entries.field[e] : e);
    const bool alone = all || found == kNoRow;
    found = alone && entries.x[e] == 1 ? entries.row[e] : kOther;
  }
}

// Replaces the field's rows by codes, unless it has too many.
void RepeatedVectors::number(Index field, Index n, std::vector<Vector>& map) {
  Field& f = fields_[static_cast<std::size_t>(field)];
  f.first.clear(), f.rows.clear();
  f.repeats = false;
  std::uint32_t* const ids = codes_of_field_.data() + field * most_rows_;
  const auto most = static_cast<std::size_t>(n / kRepeats);
  map.assign(std::bit_ceil(2 * most + 2), {kOther, 0});
  for (Index i = 0; i < n; ++i) {
    const RowId row = ids[i];
    if (row == kOther) return;
    std::size_t at = place(row, map.size());
    while (map[at].row != row && map[at].row != kOther) at = (at + 1) & (map.size() - 1);
    if (map[at].row == kOther) {
      if (f.rows.size() == most) return;
      map[at] = {row, static_cast<std::uint32_t>(f.rows.size())};
      f.first.push_back(static_cast<std::uint32_t>(i));
      f.rows.push_back(row);
    }
    ids[i] = map[at].number;
  }
  f.repeats = true;
}

// The fields with the fewest vectors, as long as all of them together are not too many.
void RepeatedVectors::choose(Index n) {
  std::vector<Field*> fields;
  for (Field& f : fields_)
    if (f.repeats) fields.push_back(&f);
  std::ranges::stable_sort(fields, {}, [](const Field* f) { return f->rows.size(); });
  auto left = static_cast<std::size_t>(kPerRow * n);
  for (Field* f : fields) {
    f->repeats = f->rows.size() <= left;
    left -= f->repeats ? f->rows.size() : left;
  }
  plain_.clear(), coded_.clear();
  Index n_vectors = 0;
  for (Index i = 0; i < n_fields_; ++i) {
    Field& f = fields_[static_cast<std::size_t>(i)];
    const auto size = static_cast<Index>(f.rows.size());
    f.column = static_cast<Index>(f.repeats ? coded_.size() : plain_.size());
    if (!f.repeats) {
      plain_.push_back(i);
      continue;
    }
    coded_.push_back({i, n_vectors, size});
    n_vectors += size;
  }
  const Index width = input_.width;
  input_.vectors = {vectors_.data(), n_vectors, width, width};
  input_.dvectors = {dvectors_.data(), n_vectors, width, width};
}

void RepeatedVectors::list_by_share() {
  share_begin_.assign(shares_.size() + 1, 0);
  const auto for_each = [&](auto&& body) {
    for (const CodedInput::Block& b : coded_) {
      const Field& f = fields_[static_cast<std::size_t>(b.block)];
      for (std::size_t u = 0; u < f.rows.size(); ++u)
        if (f.rows[u] != kNoRow)
          body(Vector{f.rows[u],
                      static_cast<std::uint32_t>(b.first) + static_cast<std::uint32_t>(u)});
    }
  };
  for_each([&](const Vector& v) { ++share_begin_[shares_.of(v.row) + 1]; });
  for (std::size_t i = 0; i < shares_.size(); ++i) share_begin_[i + 1] += share_begin_[i];
  by_share_.resize(share_begin_.back());
  std::vector<std::size_t> next(share_begin_);
  for_each([&](const Vector& v) { by_share_[next[shares_.of(v.row)]++] = v; });
}

void RepeatedVectors::move(Index n, Matrix input, Team& team) {
  const Index width = input_.width;
  team.pieces(static_cast<Index>(coded_.size()), [&](int, Index i) {
    const CodedInput::Block& b = coded_[static_cast<std::size_t>(i)];
    const Field& f = fields_[static_cast<std::size_t>(b.block)];
    for (Index u = 0; u < b.n; ++u)
      std::copy_n(input.row(f.first[static_cast<std::size_t>(u)]) + b.block * width, width,
                  input_.vectors.row(b.first + u));
  });
  const auto n_coded = static_cast<Index>(coded_.size());
  for_row_pieces(n, team, [&](Index first, Index count) {
    for (Index i = first; i < first + count; ++i) {
      std::uint32_t* const codes = codes_.data() + i * n_coded;
      for (Index c = 0; c < n_coded; ++c) {
        const CodedInput::Block& b = coded_[static_cast<std::size_t>(c)];
        codes[c] = static_cast<std::uint32_t>(b.first) + codes_of_field_[b.block * most_rows_ + i];
      }
      float* to = input.row(i);
      for (const Index block : plain_) to = std::copy_n(input.row(i) + block * width, width, to);
    }
  });
}

const CodedInput* RepeatedVectors::find(Index n, Matrix input, Matrix dinput, Team& team) {
  maps_.resize(static_cast<std::size_t>(team.size()));
  team.pieces(n_fields_, [&](int thread, Index field) {
    number(field, n, maps_[static_cast<std::size_t>(thread)]);
  });
  choose(n);
  if (coded_.empty()) return nullptr;
  list_by_share();
  move(n, input, team);
  input_.plain_blocks = plain_;
  input_.coded_blocks = coded_;
  input_.codes = codes_.data();
  const Index columns = static_cast<Index>(plain_.size()) * input_.width;
  input_.plain = {input.data, n, columns, input.stride};
  input_.dplain = {dinput.data, n, columns, dinput.stride};
  return &input_;
}

void RepeatedVectors::keep_plain(std::span<const Touch> all, std::span<const std::uint32_t> at,
                                 std::vector<Touch>& touches,
                                 std::vector<std::uint32_t>& plain_at) const {
  touches.clear(), plain_at.clear();
  for (std::size_t t = 0; t < all.size(); ++t) {
    const Field& f = fields_[all[t].field];
    if (f.repeats) continue;
    touches.push_back(all[t]);
    touches.back().field = static_cast<FieldId>(f.column);
    plain_at.push_back(at[t]);
  }
}

std::span<const RepeatedVectors::Vector> RepeatedVectors::vectors(
    std::size_t share) const noexcept {
  return {by_share_.data() + share_begin_[share], share_begin_[share + 1] - share_begin_[share]};
}

}  // namespace pyfm
