#include "train/model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

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

  met_ = Bits(spec_.n_features);
  if (spec_.linear) add_part(Part::linear, shapes.front(), spec_.linear_optimizer);
  if (spec_.has_factors())
    add_part(spec_.kind == "ffm" ? Part::ffm : Part::fm, shapes.back(), spec_.factor_optimizer);
}

void Model::add_part(Part part, PartShape shape, const std::optional<OptimizerSpec>& optimizer) {
  ModelPart p{part, shape, optimizer.value_or(OptimizerSpec{}), {}, {}};
  p.rows = Array<float>(shape.n_features * shape.stride);
  if (part == Part::linear) p.bias = Array<float>(shape.stride);
  parts_.push_back(std::move(p));
}

ModelPart* Model::find(Part part) noexcept {
  const auto found = std::ranges::find(parts_, part, &ModelPart::part);
  return found == parts_.end() ? nullptr : &*found;
}

Index Model::nbytes() const noexcept {
  Index bytes = met_.nbytes();
  for (const ModelPart& p : parts_) bytes += (p.rows.size() + p.bias.size()) * Index{sizeof(float)};
  return bytes;
}

Index Model::weight_nbytes() const noexcept {
  Index bytes = met_.nbytes();
  for (const ModelPart& p : parts_)
    bytes += p.shape.n_features * p.shape.width * Index{sizeof(float)};
  return bytes;
}

void Model::save(Snapshot& s) const {
  s.met.assign(met_);
  s.rows.resize(parts_.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const ModelPart& p = parts_[i];
    s.rows[i].resize(met_.count() * p.shape.width);
    met_.for_each([&, to = s.rows[i].data()](Index j) mutable {
      to = std::copy_n(p.rows.data() + j * p.shape.stride, p.shape.width, to);
    });
    if (!p.bias.empty()) s.bias = p.bias[0];
  }
}

// Features met since the snapshot go back to zero, and count as never met.
void Model::restore(const Snapshot& s) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    ModelPart& p = parts_[i];
    const auto row = [&](Index j) { return p.rows.data() + j * p.shape.stride; };
    met_.for_each([&](Index j) { std::fill_n(row(j), p.shape.width, 0.0f); });
    s.met.for_each([&, from = s.rows[i].data()](Index j) mutable {
      std::copy_n(from, p.shape.width, row(j));
      from += p.shape.width;
    });
    if (!p.bias.empty()) p.bias[0] = s.bias;
  }
  met_.assign(s.met);
}

}  // namespace pyfm
