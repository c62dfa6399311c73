// What a kernel sees of one part of a model: plain aggregates that cross the ISA border.
// Kernels take them by value: a vector store may alias any memory but that of locals, and what it
// may alias has to be loaded anew after it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/half.h"
#include "base/types.h"
#include "optim/params.h"

namespace pyfm {

// The formats of the numbers in a table.
enum class Storage { float32, float16 };
inline constexpr std::size_t kStorages = 2;

// How the table of a part is laid out and started. A row belongs to one feature: n_fields vectors
// of `block` numbers, padded to `width`, followed by the optimizer's slots, each as wide.
struct PartShape {
  Storage storage = Storage::float32;
  int n_fields = 1;   // vectors per feature; more than 1 only in FFM
  int n_factors = 1;  // numbers per vector that are in use; the rest of `block` stays 0
  int block = 1;
  Index width = 1;
  Index stride = 1;                   // numbers from one row to the next
  float init_low = 0, init_high = 0;  // initial weights are uniform on [low, high)
  std::uint64_t seed = 0;

  Index row_bytes() const noexcept { return stride * (storage == Storage::float32 ? 4 : 2); }
};

struct PartView {
  PartShape shape;
  OptimizerParams params;
  void* rows;             // (n_rows, stride); row 0 is zero and stands for unknown features
  float* bias = nullptr;  // (1 + slots,); null in parts without one

  // One thread's own copies of the first rows, which many examples hold, and of the bias; what
  // they were when they last met the others (see train/hot_rows.h).
  RowId n_hot = 0;
  void* hot = nullptr;   // (n_hot, stride)
  void* base = nullptr;  // (n_hot, stride)
  float* shared_bias = nullptr;
  float* base_bias = nullptr;

  template <class S>
  [[gnu::always_inline]] S* row(RowId r) const noexcept {
    return static_cast<S*>(r < n_hot ? hot : rows) + static_cast<Index>(r) * shape.stride;
  }
};

}  // namespace pyfm
