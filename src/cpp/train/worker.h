// One thread's kernels and working memory for a model.
#pragma once
#include <vector>

#include "data/dataset.h"
#include "train/model.h"

namespace pyfm {

struct PartWorker {
  PartView view;
  const PartKernels* kernels;
  ScratchMemory scratch;
};

struct Worker {
  std::vector<PartWorker> parts;
  double loss = 0;    // Σ weight × loss
  double weight = 0;  // Σ weight

  Worker(Model& model, const Dataset& data) {
    const KernelTable& table = kernel_table(simd_level());
    for (ModelPart& p : model.parts())
      parts.push_back({p.view(), &table.find(p.part, p.optimizer.index, p.shape.block),
                       ScratchMemory(p.shape, data.max_row_nnz())});
  }

  float score(const Row& row, float scale) noexcept {
    float total = 0;
    for (PartWorker& p : parts) total += p.kernels->score(p.view, row, scale, p.scratch.view());
    return total;
  }
  void update(float dscore) noexcept {
    for (PartWorker& p : parts) p.kernels->update(p.view, dscore, p.scratch.view());
  }
  void prefetch(const Row& row) const noexcept {
    for (const PartWorker& p : parts) p.kernels->prefetch(p.view, row);
  }
};

inline std::vector<Worker> make_workers(Model& model, const Dataset& data, int n_threads) {
  std::vector<Worker> workers;
  for (int i = 0; i < resolve_threads(n_threads); ++i) workers.emplace_back(model, data);
  return workers;
}

}  // namespace pyfm
