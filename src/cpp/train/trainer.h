// Example-wise training: every row updates the weights it touches at once, without locks
// (Hogwild, Niu et al. 2011). One thread: the same model from the same seed on the same SIMD level.
#pragma once
#include <vector>

#include "data/augmentation.h"
#include "data/dataset.h"
#include "loss/loss_sum.h"
#include "train/model.h"
#include "train/numbered_rows.h"
#include "train/progressive.h"
#include "train/rows.h"

namespace pyfm {

// How far an epoch has come whose rows come in pieces. Batches must not be cut: pieces are whole
// ones, but for the last. Then what is learned is that of an epoch of all rows, if their order is
// the same: to the bit on one thread, and in batches on any number.
struct EpochPosition {
  Index n_rows = 0, n_pieces = 0, n_batches = 0;
  std::vector<std::vector<NoiseState>> noise;  // by thread, of each part
  LossSum sum;
  double seconds = 0;
};

struct EpochOptions {
  Index epoch = 0;      // selects the permutation, together with the model's seed
  bool shuffle = true;  // otherwise rows are taken in order
  int n_threads = 1;
  Poll poll;
  Index batch_size = 1;  // 1: example-wise; 0: all rows are one batch
  const Augmentation* augmentation = nullptr;
  const NumberedRows* numbered = nullptr;  // of the data, if they are not augmented
  // Rows of a stream: random numbers go on where the rows before ended, so that it does not matter
  // where the stream is cut, and every row is scored before it is learned.
  Progressive* stream = nullptr;
  // Rows are a piece of the epoch's, which goes on from there. The model is initialized already.
  // What shuffles them is the epoch and, behind the first piece, the number of the piece.
  EpochPosition* position = nullptr;
};

struct EpochStats {
  double loss = 0;  // weighted mean, each row's taken just before its own update
  double seconds = 0;
};

// Throws std::invalid_argument when a target is not in the domain of the model's loss.
void check_targets(const Model& model, const Dataset& data);

// Throws std::invalid_argument when the data do not fit the model or its loss, or were numbered
// before the model gave other rows to features. Of a piece, the statistics are those of the epoch
// so far.
EpochStats train_epoch(Model& model, const Dataset& data, const EpochOptions& options);

}  // namespace pyfm
