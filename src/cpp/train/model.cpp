#include "train/model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/memory.h"
#include "model/shape.h"

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

// In floating point, where a product of user input cannot overflow.
double table_bytes(const PartShape& shape) {
  return static_cast<double>(shape.n_features) * static_cast<double>(shape.stride) * sizeof(float);
}

void check_memory(const ModelSpec& spec, double bytes) {
  const Index available = available_memory();
  if (bytes <= static_cast<double>(available)) return;
  std::string size = std::to_string(spec.n_features) + " features";
  if (spec.kind == "ffm") size += " x " + std::to_string(spec.n_fields) + " fields";
  if (spec.has_factors()) size += " x " + std::to_string(spec.n_factors) + " factors";
  throw OutOfMemory("a model of " + size + " needs " + gigabytes(bytes) +
                    " for weights and optimizer state, but " +
                    gigabytes(static_cast<double>(available)) +
                    " are available: use fewer features (hash or fold rare ones) or n_factors");
}

}  // namespace

Model::Model(ModelSpec spec) : spec_(std::move(spec)) {
  validate(spec_);
  loss_ = &find_loss(spec_.loss);
  std::vector<PartShape> shapes;
  if (spec_.linear)
    shapes.push_back(linear_shape(spec_.n_features, slots_of(spec_.linear_optimizer)));
  if (spec_.has_factors()) {
    const int k = static_cast<int>(spec_.n_factors), slots = slots_of(spec_.factor_optimizer);
    const bool ffm = spec_.kind == "ffm";
    PartShape shape = ffm ? ffm_shape(spec_.n_features, spec_.n_fields, k, slots)
                          : fm_shape(spec_.n_features, k, slots);
    // FFM starts as libffm does; FM symmetric, since Σ_j v_j would grow with the row otherwise.
    shape.init_high = static_cast<float>(spec_.init_scale / std::sqrt(static_cast<double>(k)));
    shape.init_low = ffm ? 0.0f : -shape.init_high;
    shape.seed = spec_.seed;
    shapes.push_back(shape);
  }

  double bytes = static_cast<double>(spec_.n_features) / 8;
  for (const PartShape& shape : shapes) bytes += table_bytes(shape);
  check_memory(spec_, bytes);

  seen_ = Array<std::uint64_t>((spec_.n_features + 63) / 64);
  if (spec_.linear) add_part(Part::linear, shapes.front(), spec_.linear_optimizer);
  if (spec_.has_factors())
    add_part(spec_.kind == "ffm" ? Part::ffm : Part::fm, shapes.back(), spec_.factor_optimizer);
}

void Model::add_part(Part part, PartShape shape, const std::optional<OptimizerSpec>& optimizer) {
  ModelPart p{part, shape, optimizer.value_or(OptimizerSpec{}), {}, {}};
  p.rows = Array<float>(shape.n_features * shape.stride);
  if (part == Part::linear) {
    p.bias = Array<float>(shape.stride);
    if (optimizer) kernel_table(simd_level()).find(part, optimizer->index, 1).init_bias(p.view());
  }
  parts_.push_back(std::move(p));
}

ModelPart* Model::find(Part part) noexcept {
  const auto found = std::ranges::find(parts_, part, &ModelPart::part);
  return found == parts_.end() ? nullptr : &*found;
}

Index Model::nbytes() const noexcept {
  Index bytes = seen_.size() * 8;
  for (const ModelPart& p : parts_) bytes += (p.rows.size() + p.bias.size()) * Index{sizeof(float)};
  return bytes;
}

Index Model::weight_nbytes() const noexcept {
  Index bytes = seen_.size() * 8;
  for (const ModelPart& p : parts_)
    bytes += p.shape.n_features * p.shape.width * Index{sizeof(float)};
  return bytes;
}

Snapshot Model::snapshot() const {
  Snapshot s;
  s.seen = Array<std::uint64_t>(seen_.size());
  std::memcpy(s.seen.data(), seen_.data(), static_cast<std::size_t>(seen_.size()) * 8);
  for (const ModelPart& p : parts_) {
    const auto bytes = static_cast<std::size_t>(p.shape.width) * sizeof(float);
    Array<float> rows(p.shape.n_features * p.shape.width);
    for (Index j = 0; j < p.shape.n_features; ++j)
      if (seen_[j / 64] >> (j % 64) & 1)
        std::memcpy(rows.data() + j * p.shape.width, p.rows.data() + j * p.shape.stride, bytes);
    if (!p.bias.empty()) s.bias = p.bias[0];
    s.rows.push_back(std::move(rows));
  }
  return s;
}

// Rows met since the snapshot go back to zero, and count as never met.
void Model::restore(const Snapshot& s) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    ModelPart& p = parts_[i];
    const auto bytes = static_cast<std::size_t>(p.shape.width) * sizeof(float);
    for (Index j = 0; j < p.shape.n_features; ++j)
      if (seen_[j / 64] >> (j % 64) & 1)
        std::memcpy(p.rows.data() + j * p.shape.stride, s.rows[i].data() + j * p.shape.width,
                    bytes);
    if (!p.bias.empty()) p.bias[0] = s.bias;
  }
  std::memcpy(seen_.data(), s.seen.data(), static_cast<std::size_t>(seen_.size()) * 8);
}

}  // namespace pyfm
