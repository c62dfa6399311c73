#include "train/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "base/random.h"
#include "model/shape.h"
#include "train/batch.h"

namespace pyfm {

namespace {

constexpr std::uint64_t kSeedOfNetwork = 0x6e6574;  // apart from those of the other tables
constexpr Index kRows = 32;                         // of a table, in a piece of work

int slots_of(const std::optional<OptimizerSpec>& optimizer) {
  return optimizer ? optimizers()[optimizer->index].slots : 0;
}

PartShape shape_of(const Parameter& p, int slots) {
  return fm_shape(static_cast<int>(p.columns), slots);
}

}  // namespace

double Network::nbytes(const TowerSpec& spec, const std::optional<OptimizerSpec>& optimizer) {
  double floats = 0;
  for (const Parameter& p : make_tower(spec)->parameters())
    floats +=
        static_cast<double>(p.rows) * static_cast<double>(shape_of(p, slots_of(optimizer)).stride +
                                                          (optimizer ? shape_of(p, 0).width : 0));
  return floats * sizeof(float);
}

Network::Network(const TowerSpec& spec, const std::optional<OptimizerSpec>& optimizer,
                 std::uint64_t seed)
    : layers_(make_tower(spec)),
      first_(spec.hidden.empty() ? nullptr : dynamic_cast<Dense*>(&layers_->front())),
      trainable_(optimizer),
      normalizes_(spec.batch_norm) {
  std::vector<ParameterMemory> memory;
  for (const Parameter& p : layers_->parameters()) {
    DenseTable& t = tables_.emplace_back();
    t.name = p.name;
    t.n_rows = p.rows;
    t.shape = shape_of(p, slots_of(optimizer));
    t.rows = Array<float>(p.rows * t.shape.stride);
    const Matrix value = {t.rows.data(), p.rows, p.columns, t.shape.stride};
    Matrix gradient;
    if (optimizer) {
      t.optimizer = optimizer_of(t.name, *optimizer);
      t.gradients = Array<float>(p.rows * t.shape.width);
      gradient = {t.gradients.data(), p.rows, p.columns, t.shape.width};
    }
    memory.push_back({value, gradient});
    initialize(value, p.start, random_key(random_key(seed, kSeedOfNetwork), tables_.size()));
    for (Index r = 0; r < p.rows && optimizer; ++r)
      t.kernels().init_slots(t.view(), static_cast<RowId>(r));
  }
  layers_->bind(memory);
  for (std::size_t t = 0; t < tables_.size(); ++t)
    for (Index first = 0; first < tables_[t].n_rows; first += kRows)
      pieces_.push_back({t, first, std::min(kRows, tables_[t].n_rows - first)});
  squares_.resize(pieces_.size());
}

// Biases and what scales or shifts whole columns are not pulled towards 0.
OptimizerSpec Network::optimizer_of(const std::string& name, const OptimizerSpec& given) const {
  OptimizerSpec spec = given;
  if (!name.ends_with("weight")) spec.params.l1 = spec.params.l2 = spec.params.weight_decay = 0;
  return spec;
}

int Network::slots() const noexcept {
  return trainable_ ? optimizers()[tables_.front().optimizer.index].slots : 0;
}

void Network::set_optimizer(const OptimizerSpec& optimizer) {
  if (!trainable_ || optimizer.index != tables_.front().optimizer.index)
    throw std::invalid_argument("optimizer: expected that which the model was made with");
  for (DenseTable& t : tables_) t.optimizer = optimizer_of(t.name, optimizer);
}

Index Network::nbytes() const noexcept {
  Index floats = 0;
  for (const DenseTable& t : tables_) floats += t.rows.size() + t.gradients.size();
  return floats * Index{sizeof(float)};
}

Index Network::weight_nbytes() const noexcept {
  Index floats = 0;
  for (const DenseTable& t : tables_) floats += t.n_rows * t.shape.width;
  return floats * Index{sizeof(float)};
}

DenseTable& Network::table(const std::string& name) {
  const auto found = std::ranges::find(tables_, name, &DenseTable::name);
  if (found == tables_.end())
    throw std::invalid_argument("name: this network has no weights '" + name + "'");
  return *found;
}

std::span<double> Network::buffer(const std::string& name) {
  for (const Buffer& b : layers_->buffers())
    if (b.name == name) return b.values;
  throw std::invalid_argument("name: this network has no statistics '" + name + "'");
}

void Network::read(const DenseTable& t, int slot, float* to) const {
  for (Index r = 0; r < t.n_rows; ++r)
    to = std::copy_n(t.rows.data() + r * t.shape.stride + slot * t.shape.width, t.shape.n_factors,
                     to);
}

void Network::read(const NetworkCopy& copy, const DenseTable& t, float* to) const {
  const auto i = static_cast<std::size_t>(&t - tables_.data());
  if (copy.tables.size() != tables_.size() || copy.tables[i].size() != t.n_rows * t.shape.width)
    throw std::invalid_argument("snapshot: expected one of this model");
  for (Index r = 0; r < t.n_rows; ++r)
    to = std::copy_n(copy.tables[i].data() + r * t.shape.width, t.shape.n_factors, to);
}

void Network::read(const NetworkCopy& copy, const std::string& buffer, double* to) const {
  std::size_t at = 0;
  for (const Buffer& b : layers_->buffers()) {
    if (at + b.values.size() > copy.buffers.size()) break;
    if (b.name == buffer) {
      std::copy_n(copy.buffers.data() + at, b.values.size(), to);
      return;
    }
    at += b.values.size();
  }
  throw std::invalid_argument("snapshot: expected one of this model");
}

void Network::write(DenseTable& t, int slot, const float* from) {
  for (Index r = 0; r < t.n_rows; ++r) {
    std::copy_n(from, t.shape.n_factors, t.rows.data() + r * t.shape.stride + slot * t.shape.width);
    from += t.shape.n_factors;
    if (slot == 0 && trainable_) t.kernels().init_slots(t.view(), static_cast<RowId>(r));
  }
}

void Network::save(NetworkCopy& copy, bool with_state) const {
  copy.tables.resize(tables_.size());
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const DenseTable& t = tables_[i];
    const Index kept = with_state ? t.shape.stride : t.shape.width;
    copy.tables[i].resize(t.n_rows * kept);
    for (Index r = 0; r < t.n_rows; ++r)
      std::copy_n(t.rows.data() + r * t.shape.stride, kept, copy.tables[i].data() + r * kept);
  }
  copy.buffers.clear();
  for (const Buffer& b : layers_->buffers())
    copy.buffers.insert(copy.buffers.end(), b.values.begin(), b.values.end());
}

void Network::restore(const NetworkCopy& copy) {
  if (copy.tables.size() != tables_.size())
    throw std::invalid_argument("snapshot: expected one of this model");
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    DenseTable& t = tables_[i];
    const Index kept = copy.tables[i].size() / t.n_rows;
    for (Index r = 0; r < t.n_rows; ++r)
      std::copy_n(copy.tables[i].data() + r * kept, kept, t.rows.data() + r * t.shape.stride);
  }
  auto from = copy.buffers.begin();
  for (const Buffer& b : layers_->buffers()) {
    const auto n = static_cast<std::ptrdiff_t>(b.values.size());
    std::copy_n(from, n, b.values.begin());
    from += n;
  }
}

bool Network::is_finite() const {
  const auto finite = [](const auto& numbers) {
    return std::ranges::all_of(numbers, [](auto x) { return std::isfinite(x); });
  };
  for (const DenseTable& t : tables_)
    for (Index r = 0; r < t.n_rows; ++r)
      if (!finite(std::span(t.rows.data() + r * t.shape.stride,
                            static_cast<std::size_t>(t.shape.n_factors))))
        return false;
  for (const Buffer& b : layers_->buffers())
    if (!finite(b.values)) return false;
  return true;
}

template <class F>
void Network::for_pieces(Team& team, F&& body) {
  team.pieces(static_cast<Index>(pieces_.size()), [&](int, Index i) {
    const auto at = static_cast<std::size_t>(i);
    const Piece& piece = pieces_[at];
    DenseTable& t = tables_[piece.table];
    std::array<RowId, kRows> rows;
    std::iota(rows.begin(), rows.begin() + piece.n, static_cast<RowId>(piece.first));
    body(at, t, rows.data(), piece.n, t.gradients.data() + piece.first * t.shape.width);
  });
}

void Network::clip(Team& team) {
  const float most = tables_.front().optimizer.params.clip_norm;
  if (most == kNoLimit) return;
  for_pieces(team, [&](std::size_t i, DenseTable& t, const RowId* rows, Index n, float* gradients) {
    std::array<double, kRows> of_row;
    t.kernels().squared_norms(t.view(), rows, n, gradients, of_row.data());
    squares_[i] = std::accumulate(of_row.begin(), of_row.begin() + n, 0.0);
  });
  const double square = std::accumulate(squares_.begin(), squares_.end(), 0.0);
  const auto factor = static_cast<float>(clip_factor(square, most));
  if (factor == 1) return;
  for_pieces(team, [&](std::size_t, DenseTable& t, const RowId*, Index n, float* gradients) {
    for (Index g = 0; g < n * t.shape.width; ++g) gradients[g] *= factor;
  });
}

void Network::step(Team& team) {
  clip(team);
  for_pieces(team, [](std::size_t, DenseTable& t, const RowId* rows, Index n, float* gradients) {
    const Scratch no_noise{};  // float32 is not rounded
    t.kernels().step_rows(t.view(), rows, n, n, gradients, no_noise);
  });
}

}  // namespace pyfm
