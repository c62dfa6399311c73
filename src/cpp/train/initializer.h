// Rows for the features of a data set, ahead of training.
#pragma once
#include <vector>

#include "data/augmentation.h"
#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

// Gives a row with initial weights to every feature that has none and that at least min_count rows
// of the data set hold; with an augmentation also to its unknowns, and of a bootstrap sample the
// rows are those that it holds. Rows of the tables lie in the order of the features' frequency:
// what is used often shares cache lines and pages with its like, and the first rows are those that
// threads keep copies of. Training does this by itself; done before, it is not part of the first
// epoch's time. An exception leaves the model as it was, but for the counts of features without a
// row, which are forgotten.
void initialize(Model& model, const Dataset& data, int n_threads, const Poll& poll,
                const Augmentation* augmentation = nullptr);

// The same for a data set that comes in pieces: first all are counted, the pieces at their places
// (of their first rows) in the whole, then its features get rows. Between the pieces, exceptions
// and what is given up call for forget_counts of the model's rows.
void count_piece(Model& model, const Dataset& piece, Index place, int n_threads, const Poll& poll,
                 const Augmentation* augmentation = nullptr);
void initialize_counted(Model& model, Index n_rows, int n_threads, const Poll& poll,
                        const Augmentation* augmentation = nullptr);
// At last, where some fields are for linear terms alone, the vectors of what a piece holds in the
// others. What is left out after an exception, the next call does.
void initialize_vectors(Model& model, const Dataset& piece, int n_threads, const Poll& poll);

// The same for rows of a stream, in time that goes with these rows and not with the feature space:
// features count in all rows of the stream so far. Returns the features that got rows, with their
// counts; `in_order`, of these rows: that in which they were met. An exception leaves the model as
// it was.
std::vector<RowMap::Counted> admit(Model& model, const Dataset& data, bool in_order, int n_threads,
                                   const Poll& poll);

}  // namespace pyfm
