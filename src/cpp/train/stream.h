// Online learning: rows arrive in calls, are learned once, in their order, and features turn up.
#pragma once
#include <span>

#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

struct StreamOptions {
  int n_threads = 1;
  Index batch_size = 1;  // as in EpochOptions
  Poll poll;
  Index most_undo_bytes = Index{64} << 20;
};

struct StreamStats {
  double seconds = 0;
  bool finite = true;   // scores, and weights of the rows of the tables that were learned
  bool undone = false;  // the model is what it was before
};

// One pass over the rows in their order. The feature space grows with that of the data; features
// that enough rows of the stream have held get rows of the tables. What is learned does not depend
// on where the stream is cut, on one thread; in batches on any number, if only batches are not cut.
// Takes time and memory for these rows, whatever the size of the model. `scores`, (n_rows,
// n_outputs): of each row before it was learned (see train/progressive.h).
//
// An exception or numbers that are not finite leave the model as it was, if copies of the table
// rows that these data hold take at most so many bytes; else what was learned until then stays.
StreamStats learn(Model& model, const Dataset& data, const StreamOptions& options,
                  std::span<float> scores);

}  // namespace pyfm
