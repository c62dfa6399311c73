// Working memory of a layer: what one caller's batch leaves behind between forward and backward.
#pragma once
#include <vector>

#include "base/array.h"
#include "nn/matrix.h"

namespace pyfm {

// Rows that begin on a cache line.
inline Index padded(Index columns) {
  return (columns + 15) / 16 * 16;
}

// Grows with the largest batch that was seen and is never given back before its end; nothing is
// allocated for a batch of a size that it has seen. One per layer and caller: a tree, like layers.
class Workspace {
 public:
  float* floats(Index n) { return grown(floats_, n); }
  double* doubles(Index n) { return grown(doubles_, n); }
  // Matrix number `i` of this layer.
  Matrix matrix(std::size_t i, Index rows, Index columns) {
    if (matrices_.size() <= i) matrices_.resize(i + 1);
    return {grown(matrices_[i], rows * padded(columns)), rows, columns, padded(columns)};
  }
  // Working memory of the i-th layer inside of this one.
  Workspace& child(std::size_t i) {
    if (children_.size() <= i) children_.resize(i + 1);
    return children_[i];
  }

 private:
  template <class T>
  static T* grown(Array<T>& memory, Index n) {
    if (memory.size() < n) memory.resize(n);
    return memory.data();
  }

  Array<float> floats_;
  Array<double> doubles_;
  std::vector<Array<float>> matrices_;
  std::vector<Workspace> children_;
};

}  // namespace pyfm
