// One thread's kernels and working memory for a model.
#pragma once
#include <vector>

#include "data/dataset.h"
#include "model/entries.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

struct PartWorker {
  PartView view;
  const PartKernels* kernels;
  ScratchMemory scratch;
};

struct Worker {
  std::vector<PartWorker> parts;
  EntryBuffer entries;
  EntryFilter filter;
  bool normalize;
  double loss = 0;    // Σ weight × loss
  double weight = 0;  // Σ weight

  Worker(Model& model, const Dataset& data) : entries(data.max_row_nnz()) {
    const ModelSpec& spec = model.spec();
    const Index n_fields = spec.kind == "ffm" ? spec.n_fields : kMaxFields;
    filter = {spec.n_features, n_fields,
              data.n_features() <= spec.n_features && data.n_fields() <= n_fields};
    normalize = spec.normalize;
    const KernelTable& table = kernel_table(simd_level());
    for (ModelPart& p : model.parts()) {
      parts.push_back({p.view(), &table.find(p.part, p.optimizer.index, p.shape.block),
                       ScratchMemory(p.shape, data.max_row_nnz())});
      PartWorker& made = parts.back();
      if (made.kernels->init_scratch && model.trainable())
        made.kernels->init_scratch(made.view, made.scratch.view());
    }
  }

  // `next` is fetched into the cache meanwhile, unless it is null.
  float score(const Row& row, const Row* next) noexcept {
    const float scale = normalize ? unit_length(row) : 1.0f;
    const Entries known = make_entries(row, scale, filter, entries.view());
    float total = 0;
    for (PartWorker& p : parts) {
      p.scratch.view().next = next;
      total += p.kernels->score(p.view, known, p.scratch.view());
    }
    return total;
  }
  void update(float dscore) noexcept {
    for (PartWorker& p : parts) p.kernels->update(p.view, dscore, p.scratch.view());
  }
};

// Throws std::invalid_argument when the model cannot learn from the data.
void check_trainable(const Model& model, const Dataset& data);

inline std::vector<Worker> make_workers(Model& model, const Dataset& data, int n_threads) {
  std::vector<Worker> workers;
  for (int i = 0; i < resolve_threads(n_threads); ++i) workers.emplace_back(model, data);
  return workers;
}

}  // namespace pyfm
