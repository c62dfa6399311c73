#include "data/augmentation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

namespace pyfm {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& expected,
                         const std::string& found) {
  throw std::invalid_argument("Augmentation." + name + ": expected " + expected + ", found " +
                              found);
}

void check_unknown(const std::vector<Index>& unknown, Index n_features, Index n_fields) {
  if (unknown.empty()) return;
  if (static_cast<Index>(unknown.size()) != n_fields)
    refuse("unknown", "a feature for each of the " + std::to_string(n_fields) + " fields",
           std::to_string(unknown.size()));
  for (std::size_t f = 0; f < unknown.size(); ++f)
    if (unknown[f] < -1 || unknown[f] >= n_features)
      refuse("unknown[" + std::to_string(f) + "]",
             "a feature in [0, " + std::to_string(n_features) + "), or -1 for none",
             std::to_string(unknown[f]));
}

// Box & Muller 1958. In double precision: what the logarithm's last bit may be on another machine
// is no bit of a float.
double random_normal(std::uint64_t key, std::uint64_t position) noexcept {
  const std::uint64_t bits = mix64(key + position);
  const double u = (static_cast<double>(bits >> 32) + 0.5) * 0x1p-32;
  const double v = static_cast<double>(bits & 0xffffffffu) * 0x1p-32;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

}  // namespace

void check_augmentation(const Augmentation& a, const Dataset& data, Index n_features,
                        Index n_fields) {
  if (!(a.feature_dropout >= 0 && a.feature_dropout < 1))
    refuse("feature_dropout", "a number in [0, 1)", std::to_string(a.feature_dropout));
  if (!(a.value_noise >= 0 && a.value_noise <= std::numeric_limits<float>::max()))
    refuse("value_noise", "a finite number >= 0", std::to_string(a.value_noise));
  n_fields = std::max(n_fields, data.n_fields());
  check_unknown(a.unknown, n_features, n_fields);
  if (static_cast<Index>(a.is_numeric.size()) > n_fields)
    refuse("numeric_fields", "fields in [0, " + std::to_string(n_fields) + ")",
           std::to_string(a.is_numeric.size() - 1));
  if (a.value_noise > 0 && data.buffers().values.empty() && data.nnz() > 0)
    refuse("value_noise", "0 for rows of features without values of their own",
           std::to_string(a.value_noise));
}

std::uint64_t features_key(const Augmentation& a) noexcept {
  std::uint64_t key = a.bootstrap ? mix64(1) : 0;
  if (a.feature_dropout > 0)
    for (const Index j : a.unknown) key = mix64(key ^ static_cast<std::uint64_t>(j));
  return key;
}

RowBuffer::RowBuffer(Index max_row_nnz)
    : features(static_cast<std::size_t>(max_row_nnz)),
      fields(features.size()),
      values(features.size()) {}

Augmenter::Augmenter(const Augmentation& augmentation, std::uint64_t seed, Index epoch) noexcept
    : augmentation_(&augmentation) {
  constexpr std::uint64_t stream = 0x6175676d656e7461;
  epoch_key_ = random_key(random_key(seed, stream), static_cast<std::uint64_t>(epoch));
}

Row Augmenter::row(const Row& row, Index place, RowBuffer& buffer) const noexcept {
  const std::uint64_t key = row_key(place);
  const bool has_noise = augmentation_->value_noise > 0;
  std::size_t n = 0;
  for (Index e = 0; e < row.size; ++e) {
    const FieldId f = row.field(e);
    Index j = row.features[e];
    float x = row.value(e);
    if (drops(key, e))
      j = unknown(f), x = 1;
    else if (has_noise && is_numeric(f))
      x = noisy(x, key, e);
    if (j < 0) continue;
    buffer.features[n] = static_cast<FeatureId>(j);
    buffer.fields[n] = f;
    buffer.values[n++] = x;
  }
  const auto size = static_cast<Index>(n);
  const bool implied = !row.fields && size == row.size;
  return {buffer.features.data(), implied ? nullptr : buffer.fields.data(),
          row.values ? buffer.values.data() : nullptr, size};
}

std::optional<Index> Augmenter::replacement(Index place, Index entry,
                                            FieldId field) const noexcept {
  if (!drops(row_key(place), entry)) return std::nullopt;
  return unknown(field);
}

float Augmenter::noisy(float x, std::uint64_t row_key, Index entry) const noexcept {
  const double z = random_normal(~row_key, static_cast<std::uint64_t>(entry));
  constexpr double most = std::numeric_limits<float>::max();
  return static_cast<float>(
      std::clamp(static_cast<double>(x) * (1 + augmentation_->value_noise * z), -most, most));
}

}  // namespace pyfm
