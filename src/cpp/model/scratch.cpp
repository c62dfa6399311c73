#include "model/scratch.h"

#include <algorithm>

namespace pyfm {

namespace {

// Hands out cache-line aligned pieces; without a base it only counts.
class Carver {
 public:
  explicit Carver(char* base) : base_(base) {}

  template <class T>
  void operator()(T*& piece, Index count) {
    if (base_) piece = reinterpret_cast<T*>(base_ + used_);
    used_ += (count * static_cast<Index>(sizeof(T)) + 63) / 64 * 64;
  }
  Index used() const { return used_; }

 private:
  char* base_;
  Index used_ = 0;
};

constexpr Index kSlack = 16;  // floats that a full vector may read past the end

Index carve(Scratch& s, const PartShape& shape, Index nnz, char* base) {
  Carver piece(base);
  const Index fields = shape.n_fields + kSlack;
  piece(s.noise, kSlack);
  for (void**& at : s.at) piece(at, std::max<Index>(nnz, shape.n_fields) + kSlack);
  piece(s.collected, shape.width == 1 ? (nnz + kSlack) * shape.stride : 0);
  piece(s.sum, shape.block + kSlack);
  piece(s.fetch, nnz + kSlack);
  piece(s.next_entry, nnz);
  piece(s.row_of_field, fields);
  piece(s.first, fields);
  piece(s.sum_stands_for, fields);
  piece(s.scale, fields);
  piece(s.lane_scale, fields * shape.block + kSlack);
  piece(s.group, fields);
  piece(s.entry, fields);
  piece(s.column, fields);
  piece(s.runs, (shape.n_fields + 63) / 64);
  piece(s.sums, shape.n_fields * shape.width);  // touched, and so paid for, only when needed
  piece(s.absent, shape.width + kSlack);
  float* padding = nullptr;
  piece(padding, shape.stride + kSlack);
  s.padding = padding;
  piece(s.field_gradient, fields);
  piece(s.no_gradient, shape.width + kSlack);
  return piece.used();
}

Index carve(EntryMemory& m, Index nnz, char* base) {
  Carver piece(base);
  piece(m.row, nnz + kSlack);
  piece(m.field, nnz + kSlack);
  piece(m.x, nnz + kSlack);
  piece(m.equal, nnz + kSlack);
  return piece.used();
}

}  // namespace

ScratchMemory::ScratchMemory(const PartShape& shape, Index max_row_nnz)
    : memory_(carve(view_, shape, max_row_nnz, nullptr)) {
  carve(view_, shape, max_row_nnz, memory_.data());
}

EntryBuffer::EntryBuffer(Index max_row_nnz) : memory_(carve(view_, max_row_nnz, nullptr)) {
  carve(view_, max_row_nnz, memory_.data());
}

}  // namespace pyfm
