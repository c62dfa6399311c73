#include "train/model.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "base/error.h"
#include "base/memory.h"
#include "model/shape.h"
#include "train/rows.h"
#include "train/table_rows.h"

namespace pyfm {

namespace {

int slots_of(const std::optional<OptimizerSpec>& optimizer) {
  return optimizer ? optimizers()[optimizer->index].slots : 0;
}

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GB", bytes / 1e9);
  return text;
}

// Bytes in floating point, where a product of user input cannot overflow.
void check_bytes(const std::string& what, double bytes, const char* instead) {
  const auto available = static_cast<double>(available_memory());
  if (bytes > available)
    throw OutOfMemory(what + " needs " + gigabytes(bytes) +
                      " for weights and optimizer state, but " + gigabytes(available) +
                      " are available: " + instead);
}

void check_memory(const ModelSpec& spec, Index n_features, double bytes) {
  std::string size = std::to_string(n_features) + " features";
  if (spec.n_outputs > 1) size += " x " + std::to_string(spec.n_outputs) + " classes";
  if (spec.kind == "ffm") size += " x " + std::to_string(spec.n_fields) + " fields";
  if (spec.has_factors()) size += " x " + std::to_string(spec.n_factors) + " factors";
  check_bytes("a model of " + size, bytes,
              "use fewer features (hash or fold rare ones) or n_factors");
}

// An exponent of all ones is that of NaN and infinity: adding 1 to it carries into the sign's bit.
// Integers, since a loop of them has vectors.
bool is_finite(const float* numbers, Index n) {
  std::uint32_t carries = 0;
  for (Index i = 0; i < n; ++i)
    carries |= (std::bit_cast<std::uint32_t>(numbers[i]) & 0x7f800000u) + 0x00800000u;
  return !(carries & 0x80000000u);
}

bool is_finite(const Half* numbers, Index n) {
  std::uint32_t carries = 0;
  for (Index i = 0; i < n; ++i) carries |= (numbers[i].bits & 0x7c00u) + 0x0400u;
  return !(carries & 0x8000u);
}

}  // namespace

Model::Model(ModelSpec spec)
    : spec_((validate(spec), std::move(spec))), loss_(spec_.loss, n_outputs()), rows_(0) {
  check_memory(spec_, spec_.n_features, static_cast<double>(spec_.n_features) * sizeof(RowId));
  rows_ = RowMap(spec_.n_features);
  if (spec_.linear)
    biases_ = Array<float>(spec_.n_outputs * linear_stride(slots_of(spec_.linear_optimizer)));
  for (std::size_t output = 0; output < n_outputs(); ++output) add_parts(output);
  if (!spec_.deep_fields.empty()) {
    columns_.assign(static_cast<std::size_t>(spec_.n_fields), -1);
    std::int32_t column = 0;
    for (const FieldId f : spec_.deep_fields) columns_[f] = column++;
  }
  resize_tables();
  if (spec_.is_deep()) add_network();
}

void Model::add_parts(std::size_t output) {
  if (spec_.linear)
    add_part(Part::linear, output, linear_shape(slots_of(spec_.linear_optimizer)),
             spec_.linear_optimizer);
  if (spec_.has_factors()) {
    const int k = static_cast<int>(spec_.n_factors), slots = slots_of(spec_.factor_optimizer);
    const bool ffm = spec_.kind == "ffm";
    PartShape shape = ffm ? ffm_shape(spec_.n_fields, k, slots) : fm_shape(k, slots);
    shape.storage = spec_.storage;
    // FFM starts as libffm does; FM symmetric, since Σ_j v_j would grow with the row otherwise.
    shape.init_high = static_cast<float>(spec_.init_scale / std::sqrt(static_cast<double>(k)));
    shape.init_low = ffm ? 0.0f : -shape.init_high;
    shape.seed = spec_.seed;
    add_part(ffm ? Part::ffm : Part::fm, output, shape, spec_.factor_optimizer);
  }
}

void Model::add_network() {
  spec_.tower.n_in = spec_.n_deep_fields() * spec_.n_factors;
  const double bytes = Network::nbytes(spec_.tower, spec_.deep_optimizer);
  check_bytes("a network of " + std::to_string(spec_.tower.hidden.size()) + " hidden layers on " +
                  std::to_string(spec_.tower.n_in) + " inputs",
              bytes, "use fewer or narrower layers, or n_factors");
  network_ = std::make_unique<Network>(spec_.tower, spec_.deep_optimizer, spec_.seed);
  find(Part::fm)->scores = spec_.kind == "deepfm";
}

void Model::add_part(Part part, std::size_t output, PartShape shape,
                     const std::optional<OptimizerSpec>& optimizer) {
  ModelPart p{.part = part,
              .shape = shape,
              .optimizer = optimizer.value_or(OptimizerSpec{}),
              .output = output};
  const auto stride = static_cast<std::size_t>(shape.stride);
  if (part == Part::linear) p.bias = biases().subspan(output * stride, stride);
  parts_.push_back(std::move(p));
}

ModelPart* Model::find(Part part) noexcept {
  const auto found = std::ranges::find(parts_, part, &ModelPart::part);
  return found == parts_.end() ? nullptr : &*found;
}

Index Model::nbytes() const noexcept {
  Index bytes = rows_.nbytes() + vectors_.nbytes() + biases_.size() * Index{sizeof(float)};
  for (const ModelPart& p : parts_) bytes += p.rows.size();
  return bytes + (network_ ? network_->nbytes() : 0);
}

Index Model::weight_nbytes() const noexcept {
  Index bytes = 0;
  for (const ModelPart& p : parts_) bytes += rows_.n_rows() * weight_bytes(p.shape);
  return bytes + (network_ ? network_->weight_nbytes() : 0);
}

void Model::resize_tables() {
  for (ModelPart& p : parts_) {
    const Index bytes = rows_.n_rows() * p.shape.row_bytes();
    // The first rows exactly, since they may be all; a stream adds some every now and then.
    if (p.rows.size() <= p.shape.row_bytes()) p.rows.reserve(bytes);
    p.rows.resize(bytes);
  }
  if (columns()) vectors_.resize(rows_.n_rows());
}

void Model::resize(Index n_features) {
  const Index more = n_features - spec_.n_features;
  if (more > 0) check_memory(spec_, n_features, static_cast<double>(more) * sizeof(RowId));
  rows_.resize(n_features);
  spec_.n_features = n_features;
}

void Model::add_rows(std::span<const FeatureId> features) {
  const Index n_rows = rows_.n_rows();
  double bytes = 0;
  for (const ModelPart& p : parts_)
    bytes += static_cast<double>(features.size()) * static_cast<double>(p.shape.row_bytes());
  check_memory(spec_, n_rows - 1 + static_cast<Index>(features.size()), bytes);
  try {
    rows_.add(features);
    resize_tables();
  } catch (...) {
    rows_.truncate(n_rows);
    throw;
  }
}

void Model::truncate(Index n_rows) noexcept {
  n_rows = std::max<Index>(n_rows, 1);  // nothing was saved to the snapshot: row 0 stays
  if (n_rows >= rows_.n_rows()) return;
  initialized_for = 0;
  if (static_cast<Index>(hot.size()) >= n_rows) hot.resize(static_cast<std::size_t>(n_rows - 1));
  rows_.truncate(n_rows);
  for (ModelPart& p : parts_) p.rows.resize(n_rows * p.shape.row_bytes());
  if (columns()) vectors_.resize(n_rows);
}

void Model::add_empty_rows(std::span<const FeatureId> features) {
  const Index first = rows_.n_rows();
  if (std::ranges::any_of(features, [&](FeatureId j) { return rows_.row(j) != 0; }))
    throw std::invalid_argument("features: expected some without rows");
  add_rows(features);
  for (ModelPart& p : parts_) {
    const Index bytes = p.shape.row_bytes();
    std::fill(p.rows.data() + first * bytes, p.rows.data() + rows_.n_rows() * bytes, char{0});
  }
  if (columns()) vectors_.start_from(first);
  for (Index r = first; r < rows_.n_rows(); ++r) {
    const auto row = static_cast<RowId>(r);
    if (rows_.row(rows_.feature(row)) != row) {
      truncate(first);
      throw std::invalid_argument("features: expected each once");
    }
    for (ModelPart& p : parts_)
      if (trainable()) p.kernels().init_slots(p.view(), row);
  }
}

void Model::freeze(Part part, bool frozen) noexcept {
  for (ModelPart& p : parts_)
    if (p.part == part) p.frozen = frozen;
}

void Model::set_min_count(std::uint32_t min_count) noexcept {
  if (min_count == min_count_) return;
  recount |= min_count < min_count_;
  min_count_ = min_count;
  initialized_for = 0;
}

void Model::set_optimizer(Part part, const OptimizerSpec& optimizer) {
  if (!trainable() || optimizer.index != find(part)->optimizer.index)
    throw std::invalid_argument("optimizer: expected that which the model was made with");
  for (ModelPart& p : parts_)
    if (p.part == part) p.optimizer = optimizer;
}

bool Model::is_finite(int n_threads) const {
  std::atomic<bool> finite = !network_ || network_->is_finite();
  for (const ModelPart& p : parts_) {
    if (!p.bias.empty() && !std::isfinite(p.bias[0])) finite = false;
    with_storage(p.shape.storage, [&]<class Number>(Number) {
      const auto* table = reinterpret_cast<const Number*>(p.rows.data());
      for_row_blocks(rows_.n_rows(), n_threads, {}, [&](int, Index begin, Index end) {
        for (Index r = begin; finite && r < end; ++r)
          if (!pyfm::is_finite(table + r * p.shape.stride, p.shape.width)) finite = false;
      });
    });
  }
  return finite;
}

bool Model::row_is_finite(RowId r) const {
  bool finite = r != 0 || !network_ || network_->is_finite();
  for (const ModelPart& p : parts_) {
    if (r == 0 && !p.bias.empty()) finite &= std::isfinite(p.bias[0]);
    with_storage(p.shape.storage, [&]<class Number>(Number) {
      const auto* table = reinterpret_cast<const Number*>(p.rows.data());
      finite &= pyfm::is_finite(table + Index{r} * p.shape.stride, p.shape.width);
    });
  }
  return finite;
}

void Model::save(Snapshot& s) const {
  const Index n_rows = rows_.n_rows();
  s.features.resize(n_rows);
  std::ranges::copy(rows_.features(), s.features.data());
  s.weights.resize(parts_.size());
  s.biases.clear();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const ModelPart& p = parts_[i];
    const Index row = p.shape.row_bytes(), kept = weight_bytes(p.shape);
    s.weights[i].resize(n_rows * kept);
    for (Index r = 0; r < n_rows; ++r)
      std::copy_n(p.rows.data() + r * row, kept, s.weights[i].data() + r * kept);
    if (!p.bias.empty()) s.biases.push_back(p.bias[0]);
  }
  if (network_) network_->save(s.network, false);
}

void Model::restore(const Snapshot& s) {
  const Index n_rows = s.features.size();
  const std::span<const FeatureId> now = rows_.features();
  if (n_rows > rows_.n_rows() ||
      !std::equal(s.features.data(), s.features.data() + n_rows, now.data()))
    throw std::invalid_argument("snapshot: it holds features that the model has forgotten since");
  truncate(n_rows);
  for (std::size_t i = 0; i < s.weights.size(); ++i) {
    ModelPart& p = parts_[i];
    const Index row = p.shape.row_bytes(), kept = weight_bytes(p.shape);
    for (Index r = 0; r < n_rows; ++r)
      std::copy_n(s.weights[i].data() + r * kept, kept, p.rows.data() + r * row);
    if (!p.bias.empty()) p.bias[0] = s.biases[p.output];
  }
  if (network_ && !s.weights.empty()) network_->restore(s.network);
}

}  // namespace pyfm
