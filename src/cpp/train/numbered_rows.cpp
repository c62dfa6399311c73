#include "train/numbered_rows.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>

#include "base/array.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "train/worker.h"

namespace pyfm {

namespace {

// Bytes of all numbers of this process: several models may be trained at once.
std::atomic<Index> held{0};

class Numbers {
 public:
  explicit Numbers(Index n) : bytes_(n * Index{sizeof(RowId)}), before_(held.fetch_add(bytes_)) {}
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  ~Numbers() { held -= bytes_; }

  bool fit() const { return before_ + bytes_ <= (available_memory() + before_) / kShare; }
  Array<RowId> of_entries{};

 private:
  static constexpr Index kShare = 8;
  Index bytes_, before_;
};

}  // namespace

std::optional<NumberedRows> number_rows(const Model& model, const Dataset& data, int n_threads,
                                        const Poll& poll) {
  check_trainable(model, data);
  const FeatureId* const features = data.buffers().features.data();
  const auto n = static_cast<Index>(data.buffers().features.size());
  if (n / 2 > data.nnz()) return std::nullopt;
  const auto numbers = std::make_shared<Numbers>(n);
  if (!numbers->fit()) return std::nullopt;
  numbers->of_entries = Array<RowId>(n);
  RowId* const to = numbers->of_entries.data();
  const RowMap& rows = model.rows();
  const RowId* const row_of = rows.entries();
  constexpr Index block = 1 << 16, ahead = 128;
  for_row_blocks(n, block, resolve_threads(n_threads), poll, [&](int, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      fetch(row_of + features[std::min(i + ahead, n - 1)]);
      to[i] = RowMap::number(row_of[features[i]]);
    }
  });
  return NumberedRows{data.with_features(numbers->of_entries.view(), rows.n_rows(), numbers),
                      data.id(), rows.version()};
}

void check_numbered(const Model& model, const Dataset& data, const NumberedRows& numbered,
                    const Augmentation* augmentation) {
  if (numbered.of != data.id() || numbered.row_map != model.rows().version() || augmentation)
    throw std::invalid_argument("numbered: expected the rows of these data, of the model as it is");
}

}  // namespace pyfm
