// The network of a deep model: its layers, and their weights as tables, which optimizers step like
// any other. A row of a table is one of a weight matrix, with the optimizer's state behind it.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/array.h"
#include "base/team.h"
#include "model/view.h"
#include "nn/dense.h"
#include "nn/tower.h"
#include "train/kernels.h"

namespace pyfm {

struct DenseTable {
  std::string name;
  Index n_rows;
  PartShape shape;
  OptimizerSpec optimizer;
  Array<float> rows;       // (n_rows, stride)
  Array<float> gradients;  // (n_rows, width); only in models that can be trained

  PartView view() noexcept { return {shape, optimizer.params, rows.data()}; }
  const PartKernels& kernels() const {
    return kernel_table(simd_level()).find(Part::dense, optimizer, shape);
  }
};

// All numbers of a network, with the optimizer's state or without.
struct NetworkCopy {
  std::vector<Array<float>> tables;
  std::vector<double> buffers;
};

class Network {
 public:
  // Of the weights and the optimizer's state, for a spec that make_tower takes.
  static double nbytes(const TowerSpec&, const std::optional<OptimizerSpec>&);

  Network(const TowerSpec&, const std::optional<OptimizerSpec>&, std::uint64_t seed);

  Layer& layers() noexcept { return *layers_; }
  // The layer that the input meets, if there is but one and it has more than one output.
  Dense* first_dense() const noexcept { return first_; }
  const Layer& layers() const noexcept { return *layers_; }
  std::vector<DenseTable>& tables() noexcept { return tables_; }
  Index nbytes() const noexcept;
  Index weight_nbytes() const noexcept;                     // of a copy without state
  bool normalizes() const noexcept { return normalizes_; }  // over a batch, of more rows than one

  // By name; throw std::invalid_argument where there is none.
  DenseTable& table(const std::string& name);
  std::span<double> buffer(const std::string& name);

  // (n_rows, columns), row by row; of slot 0: weights; others: of the optimizer's state.
  void read(const DenseTable&, int slot, float* to) const;
  // Weights as a copy without state holds them, and statistics. Throw std::invalid_argument where
  // it is of another network.
  void read(const NetworkCopy&, const DenseTable&, float* to) const;
  void read(const NetworkCopy&, const std::string& buffer, double* to) const;
  // Setting the weights also starts the optimizer's state.
  void write(DenseTable&, int slot, const float* from);

  int slots() const noexcept;
  // Throws std::invalid_argument where it is another than that of the spec.
  void set_optimizer(const OptimizerSpec&);
  void freeze(bool frozen) noexcept { frozen_ = frozen; }
  bool frozen() const noexcept { return frozen_; }

  void save(NetworkCopy&, bool with_state) const;
  void restore(const NetworkCopy&);
  bool is_finite() const;

  // One optimizer step on all weights, with the gradients that the layers left.
  void step(Team&);

 private:
  // Makes the gradients shorter where they are longer than the optimizer allows.
  void clip(Team&);
  // Rows of a table, for one thread at a time: they do not depend on the number of threads.
  struct Piece {
    std::size_t table;
    Index first, n;
  };
  // body(i, table, rows, their number, their gradients) for every piece i.
  template <class F>
  void for_pieces(Team& team, F&& body);
  OptimizerSpec optimizer_of(const std::string& name, const OptimizerSpec&) const;

  std::unique_ptr<Sequential> layers_;
  Dense* first_;
  std::vector<DenseTable> tables_;
  std::vector<Piece> pieces_;
  std::vector<double> squares_;  // of the gradients, by piece
  bool trainable_, normalizes_, frozen_ = false;
};

}  // namespace pyfm
