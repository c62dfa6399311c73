// Vectors that repeat within a batch: which fields count, and products that equal the plain ones.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "batches.h"
#include "levels.h"
#include "nn/dense.h"
#include "train/batch.h"
#include "train/repeated_vectors.h"

namespace pyfm {
namespace {

constexpr Index kFields = 6, kWidth = 9;
constexpr RowId kRowsOfField = 1000;

// A batch of examples and the input of its network.
struct Batch {
  Index n;
  std::vector<std::vector<RowId>> rows;  // of the examples: of each field, 0 where it is absent
  std::vector<float> x;                  // of all entries of an example
  Matrix input;

  Batch(Index n_examples, Matrix to) : n(n_examples), x(kFields, 1.0f), input(to) {
    for (Index i = 0; i < n; ++i) rows.push_back(rows_of(i));
    fill();
  }
  // Field 0 has always the same feature, 1 has four, 2 sometimes none, 3 one per example, 4 has two
  // and 5 as many as a quarter of the batch.
  std::vector<RowId> rows_of(Index i) const {
    const auto id = static_cast<RowId>(i);
    const RowId quarter = static_cast<RowId>(n) / 4;
    std::vector<RowId> found = {0, id % 4, id % 3, id, id * 7 % 11 % 2, id * 5 % quarter};
    for (RowId f = 0; f < kFields; ++f) found[f] += 1 + f * kRowsOfField;
    if (i % 3 == 1) found[2] = 0;
    return found;
  }
  void fill() {
    for (Index i = 0; i < n; ++i)
      for (Index f = 0; f < kFields; ++f)
        for (Index d = 0; d < kWidth; ++d) {
          const RowId row = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(f)];
          input.row(i)[f * kWidth + d] =
              row == 0 ? 0 : random_uniform(random_key(3, row), static_cast<std::uint32_t>(d)) - 1;
        }
  }
  void note(RepeatedVectors& repeated) const {
    for (Index i = 0; i < n; ++i) {
      std::vector<RowId> row;
      std::vector<FieldId> field;
      for (Index f = 0; f < kFields; ++f)
        if (const RowId r = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(f)]) {
          row.push_back(r);
          field.push_back(static_cast<FieldId>(f));
        }
      const int size = static_cast<int>(row.size());
      Entries e{};
      e.row = row.data(), e.x = x.data(), e.size = size;
      if (size < kFields) e.field = field.data();
      repeated.note(i, e);
    }
  }
};

std::vector<Index> coded_fields(const CodedInput* input) {
  std::vector<Index> found;
  if (input)
    for (const CodedInput::Block& b : input->coded_blocks) found.push_back(b.block);
  return found;
}

BOOST_AUTO_TEST_SUITE(repeated)

BOOST_AUTO_TEST_CASE(fields_with_few_vectors_are_found) {
  constexpr Index n = 130;
  for (const int n_threads : {1, 3}) {
    Owned input(n, kFields * kWidth), dinput(n, kFields * kWidth);
    const Batch batch(n, input.view);
    const std::vector<float> before = input.numbers();
    RepeatedVectors repeated(n + 1, kFields, kWidth, RowShares(1));
    batch.note(repeated);
    const CodedInput* found = nullptr;
    Team::run(n_threads,
              [&](Team& team) { found = repeated.find(n, input.view, dinput.view, team); });
    BOOST_TEST((coded_fields(found) == std::vector<Index>{0, 1, 2, 4, 5}));
    BOOST_TEST((std::vector<Index>(found->plain_blocks.begin(), found->plain_blocks.end()) ==
                std::vector<Index>{3}));
    // The input as it was, from its parts.
    bool same = true;
    for (Index i = 0; i < n; ++i) {
      const float* const row = before.data() + i * kFields * kWidth;
      for (Index d = 0; d < kWidth; ++d) same &= found->plain.row(i)[d] == row[3 * kWidth + d];
      for (std::size_t c = 0; c < found->coded_blocks.size(); ++c) {
        const float* const vector = found->vectors.row(found->codes_of(i)[c]);
        for (Index d = 0; d < kWidth; ++d)
          same &= vector[d] == row[found->coded_blocks[c].block * kWidth + d];
      }
    }
    BOOST_TEST(same);
    BOOST_TEST(input.gaps_untouched());
  }
}

BOOST_AUTO_TEST_CASE(every_vector_belongs_to_one_share_and_absent_fields_to_none) {
  constexpr Index n = 130;
  Owned input(n, kFields * kWidth), dinput(n, kFields * kWidth);
  const Batch batch(n, input.view);
  const RowShares shares(3);
  BOOST_TEST(shares.size() == 16u);
  RepeatedVectors repeated(n, kFields, kWidth, shares);
  batch.note(repeated);
  const CodedInput* const found = repeated.find(n, input.view, dinput.view, Team::alone());
  std::vector<int> times(static_cast<std::size_t>(found->vectors.rows));
  for (std::size_t share = 0; share < shares.size(); ++share)
    for (const RepeatedVectors::Vector& v : repeated.vectors(share)) {
      BOOST_TEST(shares.of(v.row) == share);
      ++times[v.number];
    }
  Index once = 0;
  for (const int t : times) once += t == 1;
  BOOST_TEST(once == found->vectors.rows - 1);  // all but the zeros of field 2

  const Touch touches[] = {{1, 0, 0, 1.0f}, {3001, 0, 3, 1.0f}, {4001, 0, 4, 1.0f}};
  const std::uint32_t at[] = {5, 6, 7};
  std::vector<Touch> plain;
  std::vector<std::uint32_t> plain_at;
  repeated.keep_plain(touches, at, plain, plain_at);
  BOOST_TEST(plain.size() == 1u);
  BOOST_TEST((plain[0].row == 3001u && plain[0].field == 0 && plain_at[0] == 6));
}

BOOST_AUTO_TEST_CASE(fields_that_hold_other_values_are_left_alone) {
  constexpr Index n = 66;
  Owned input(n, kFields * kWidth), dinput(n, kFields * kWidth);
  Batch batch(n, input.view);
  RepeatedVectors repeated(n, kFields, kWidth, RowShares(1));
  batch.x.assign(kFields, 0.5f);
  batch.note(repeated);
  BOOST_TEST(repeated.find(n, input.view, dinput.view, Team::alone()) == nullptr);

  batch.x.assign(kFields, 1.0f);
  batch.note(repeated);
  const RowId row[] = {1, 2, 1001};
  const FieldId field[] = {0, 0, 1};  // two features of field 0
  const float x[] = {1, 1, 1};
  Entries e{};
  e.row = row, e.field = field, e.x = x, e.size = 3;
  repeated.note(7, e);
  const CodedInput* const found = repeated.find(n, input.view, dinput.view, Team::alone());
  BOOST_TEST((coded_fields(found) == std::vector<Index>{1, 2, 4, 5}));
}

BOOST_AUTO_TEST_CASE(products_equal_the_plain_ones) {
  static constexpr Index n = 130, n_out = 83;
  for_levels([] {
    std::vector<float> first;
    for (const int n_threads : {1, 2, 3, 8}) {
      Run plain(std::make_unique<Dense>(kFields * kWidth, n_out), n);
      Run coded(std::make_unique<Dense>(kFields * kWidth, n_out), n);
      Batch(n, plain.x.view).fill();
      const Batch batch(n, coded.x.view);
      plain.n_threads = coded.n_threads = n_threads;
      plain.forward_and_backward();

      RepeatedVectors repeated(n, kFields, kWidth, RowShares(1));
      batch.note(repeated);
      auto& layer = static_cast<Dense&>(*coded.layer);
      const CodedInput* input = nullptr;
      Team::run(n_threads,
                [&](Team& team) { input = repeated.find(n, coded.x.view, coded.dx.view, team); });
      layer.set_input(input);
      coded.forward_and_backward();
      layer.set_input(nullptr);

      const auto close = [](const std::vector<float>& a, const std::vector<float>& b) {
        bool all = a.size() == b.size();
        for (std::size_t i = 0; i < a.size() && all; ++i) all = std::abs(a[i] - b[i]) <= 3e-5f;
        return all;
      };
      BOOST_TEST(close(coded.out.numbers(), plain.out.numbers()));
      for (std::size_t g = 0; g < plain.gradients.size(); ++g)
        BOOST_TEST(close(coded.gradients[g].numbers(), plain.gradients[g].numbers()));
      // Gradients by the vectors: sums over the rows that have them.
      std::vector<float> sums(static_cast<std::size_t>(input->vectors.rows * kWidth)), found;
      bool same = true;
      for (Index i = 0; i < n; ++i) {
        for (Index d = 0; d < kWidth; ++d)
          same &= std::abs(input->dplain.row(i)[d] - plain.dx.view.row(i)[3 * kWidth + d]) <= 3e-5f;
        for (std::size_t c = 0; c < input->coded_blocks.size(); ++c)
          for (Index d = 0; d < kWidth; ++d)
            sums[static_cast<std::size_t>(input->codes_of(i)[c] * kWidth + d)] +=
                plain.dx.view.row(i)[input->coded_blocks[c].block * kWidth + d];
      }
      for (Index u = 0; u < input->dvectors.rows; ++u)
        found.insert(found.end(), input->dvectors.row(u), input->dvectors.row(u) + kWidth);
      BOOST_TEST(same);
      BOOST_TEST(close(found, sums));
      if (n_threads == 1) first = found;
      BOOST_TEST((found == first));
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace pyfm
