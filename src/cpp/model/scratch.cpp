#include "model/scratch.h"

namespace pyfm {

namespace {

// Hands out cache-line aligned pieces; the first pass only counts.
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
  piece(s.entry, nnz);
  piece(s.x, nnz);
  piece(s.field, nnz);
  piece(s.next, nnz);
  piece(s.sum, shape.block + kSlack);
  piece(s.field_row, fields);
  piece(s.first, fields);
  piece(s.scale, fields);
  piece(s.lane_scale, fields * shape.block + kSlack);
  piece(s.group, fields);
  piece(s.sums, shape.n_fields * shape.width);  // touched, and so paid for, only when needed
  piece(s.zeros, shape.stride + kSlack);
  return piece.used();
}

}  // namespace

ScratchMemory::ScratchMemory(const PartShape& shape, Index max_row_nnz)
    : memory_(carve(view_, shape, max_row_nnz, nullptr)) {
  carve(view_, shape, max_row_nnz, memory_.data());
}

}  // namespace pyfm
