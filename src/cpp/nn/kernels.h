// The kernels of the SIMD level in force for the work on batches beside matrix products. They run
// on the calling thread; layers cut batches into pieces (nn/pieces.h).
#pragma once
#include <cstddef>
#include <cstdint>

#include "nn/matrix.h"
#include "simd/level.h"

namespace pyfm {

// Activations without parameters that are trained.
enum class ActivationKind { identity, relu, leaky_relu, elu, sigmoid, tanh, gelu };
inline constexpr std::size_t kActivations = 7;

// Whether the slope follows from the output, so that a dense layer can apply it in passing.
[[gnu::always_inline]] inline constexpr bool known_from_output(ActivationKind kind) {
  return kind != ActivationKind::gelu;
}

struct ActivationKernels {
  // out = f(x + bias), where bias is not null. out may be x.
  void (*forward)(ConstMatrix x, const float* bias, float alpha, Matrix out) noexcept;
  // dx = dout f'. `known` is the output of the kinds whose slope follows from it, the input of the
  // others. Where sums is not null it gets the columns' sums of dx. dx may be dout.
  void (*backward)(ConstMatrix known, ConstMatrix dout, float alpha, Matrix dx,
                   float* sums) noexcept;
};

struct BatchNormView {
  const float *mean, *scale, *beta;  // of each column; scale = γ / √(σ² + ε)
};

struct LayerNormView {
  const float *gamma, *beta;
  float epsilon;
};

struct DropoutView {
  std::uint64_t key;
  std::uint32_t threshold;  // of 24 random bits: those below are dropped
  float scale;              // of the others
};

struct NnKernels {
  const ActivationKernels* activations;  // in the order of enum ActivationKind
  void (*add)(ConstMatrix a, ConstMatrix b, Matrix out) noexcept;
  void (*column_sums)(ConstMatrix x, float* sums) noexcept;
  // Products with one column: out = x w, sums = xᵀ d, dx = d wᵀ; out and d are (m, 1).
  void (*dots)(ConstMatrix x, const float* w, Matrix out) noexcept;
  void (*weighted_sums)(ConstMatrix x, ConstMatrix d, float* sums) noexcept;
  void (*outer)(ConstMatrix d, const float* w, Matrix dx) noexcept;
  // For each row i and the n codes of it, which are rows of the table: out.row(i) += each of them,
  // and the row of sums += d.row(i).
  void (*add_coded)(ConstMatrix table, const std::uint32_t* codes, Index n, Matrix out) noexcept;
  void (*sum_by_code)(ConstMatrix d, const std::uint32_t* codes, Index n, Matrix sums) noexcept;
  void (*prelu_forward)(ConstMatrix x, const float* alpha, Matrix out) noexcept;
  // sums: d loss / d alpha.
  void (*prelu_backward)(ConstMatrix x, ConstMatrix dout, const float* alpha, Matrix dx,
                         float* sums) noexcept;
  // sums: of the deviations of each column from its first row, then of their squares.
  void (*column_moments)(ConstMatrix x, float* sums) noexcept;
  // Batch normalization has two forms: the second has a ReLU behind it.
  void (*batch_norm_forward[2])(ConstMatrix x, const BatchNormView&, Matrix out) noexcept;
  // sums: Σ g, then Σ g (x - mean), where g is dout past the ReLU.
  void (*batch_norm_sums[2])(ConstMatrix x, ConstMatrix dout, const BatchNormView&,
                             float* sums) noexcept;
  // dx = scale (g - a - b (x - mean)).
  void (*batch_norm_backward[2])(ConstMatrix x, ConstMatrix dout, const BatchNormView&,
                                 const float* a, const float* b, Matrix dx) noexcept;
  // moments: the mean of each row, then its 1 / √(σ² + ε), in turns; may be null.
  void (*layer_norm_forward)(ConstMatrix x, const LayerNormView&, Matrix out,
                             float* moments) noexcept;
  // sums: Σ dout x̂, then Σ dout: the gradients of γ and β.
  void (*layer_norm_backward)(ConstMatrix x, ConstMatrix dout, const LayerNormView&,
                              const float* moments, Matrix dx, float* sums) noexcept;
  // Rows `first` and following of a batch.
  void (*dropout)(ConstMatrix x, Index first, const DropoutView&, Matrix out) noexcept;
};

const NnKernels& nn_kernels();

}  // namespace pyfm
