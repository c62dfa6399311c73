// Counts the rows of data that hold each feature, since rare ones get no row in the tables.
#pragma once
#include <vector>

#include "data/augmentation.h"
#include "data/dataset.h"
#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

// Counts features without a row, on top of what was counted before; a feature that comes up several
// times in a row of the data counts once (but where a single row is enough). Returns those that
// have reached the model's min_count in these data; on one thread in the order in which they did.
// With an augmentation the rows are those of its first epoch, of which these begin at the place
// `first`. An exception of `poll` leaves the counts as they were, if there is none.
std::vector<FeatureId> count_features(Model& model, const Dataset& data,
                                      const Augmentation& augmentation, int n_threads,
                                      const Poll& poll, Index first = 0);

// The unknowns of an augmentation, which later epochs may ask for, count as often as they have to.
void count_unknowns(Model& model, const Augmentation& augmentation);

// Takes the counts of the data back, if nothing happened to them since but rows that were given and
// taken away again; these features have the counts that they had then.
void uncount_features(Model& model, const Dataset& data);

}  // namespace pyfm
