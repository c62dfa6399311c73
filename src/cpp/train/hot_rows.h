// Copies of the rows that many examples hold, one for each thread. Without them the cache lines of
// frequent features travel between the cores all the time, and threads wait for them.
//
// Every thread adds what its copy has gained to the shared row now and then, and goes on from the
// sum: a frequent row often, a rarer one less often, each after about the same number of its own
// updates. Until then other threads do not see these updates, as Hogwild's threads do not see
// those of a few examples.
#pragma once
#include <vector>

#include "base/array.h"
#include "data/dataset.h"
#include "train/model.h"

namespace pyfm {

class HotRows {
 public:
  // Copies the rows of a part that are hot in `data`, and the bias; points `view` to the copies.
  HotRows(Model& model, ModelPart& part, const Dataset& data, int n_threads, PartView& view);

  // Merges what is due after this thread's `n_blocks`-th block of examples.
  void merge_due(Index n_blocks, const PartView& view, const Scratch& scratch);
  void merge_all(const PartView& view, const Scratch& scratch);

 private:
  void merge(RowId begin, RowId end, const PartView& view, const Scratch& scratch);

  Model& model_;
  const PartKernels& kernels_;
  bool has_bias_;
  Array<char> copies_, base_;
  Array<float> bias_;
  std::vector<RowId> ends_;  // rows before ends_[c] that are no earlier class's: every 2^c blocks
};

}  // namespace pyfm
