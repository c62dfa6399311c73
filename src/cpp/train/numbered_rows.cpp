#include "train/numbered_rows.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/array.h"
#include "base/memory.h"
#include "base/parallel.h"

namespace pyfm {

std::optional<NumberedRows> number_rows(const Model& model, const Dataset& data, int n_threads,
                                        const Poll& poll) {
  const FeatureId* const features = data.buffers().features.data();
  const auto n = static_cast<Index>(data.buffers().features.size());
  if (n / 2 > data.nnz() || n * Index{sizeof(RowId)} > available_memory() / 4) return std::nullopt;
  const RowMap& rows = model.rows();
  const RowId* const row_of = rows.entries();
  auto numbers = std::make_shared<Array<RowId>>(n);
  RowId* const to = numbers->data();
  constexpr Index block = 1 << 16, ahead = 32;
  for_row_blocks(n, block, resolve_threads(n_threads), poll, [&](int, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      __builtin_prefetch(row_of + features[std::min(i + ahead, n - 1)]);
      to[i] = RowMap::number(row_of[features[i]]);
    }
  });
  return NumberedRows{data.with_features(numbers->view(), rows.n_rows(), numbers), data.id(),
                      rows.version()};
}

void check_numbered(const Model& model, const Dataset& data, const NumberedRows& numbered,
                    const Augmentation* augmentation) {
  if (numbered.of != data.id() || numbered.row_map != model.rows().version() || augmentation)
    throw std::invalid_argument("numbered: expected the rows of these data, of the model as it is");
}

}  // namespace pyfm
