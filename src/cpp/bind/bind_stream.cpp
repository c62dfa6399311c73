// Models that learn from streams: calls, and counts of features without a row.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bind/bind.h"
#include "train/stream.h"

namespace pyfm {

namespace {

py::tuple learn_rows(Model& model, const Dataset& data, int n_threads, Index batch_size) {
  if (batch_size < 0) throw std::invalid_argument("batch_size: expected at least 0");
  py::array_t<float> scores(shape_of(model, static_cast<py::ssize_t>(data.n_rows())));
  const std::span<float> to(scores.mutable_data(), static_cast<std::size_t>(scores.size()));
  StreamOptions options;
  options.n_threads = n_threads;
  options.batch_size = batch_size;
  options.poll = make_poll(py::none());
  StreamStats stats;
  {
    const py::gil_scoped_release released;
    stats = learn(model, data, options, to);
  }
  return py::make_tuple(std::move(scores), stats);
}

py::tuple counts(const Model& model) {
  const std::vector<FeatureId> features = model.rows().counted(1);
  std::vector<std::uint32_t> counts;
  for (const FeatureId j : features) counts.push_back(model.rows().count_of(j));
  const auto n = static_cast<py::ssize_t>(features.size());
  return py::make_tuple(py::array_t<FeatureId>(n, features.data()),
                        py::array_t<std::uint32_t>(n, counts.data()));
}

void set_counts(Model& model, const ArrayArg<FeatureId>& features,
                const ArrayArg<std::uint32_t>& counts) {
  if (features.size() != counts.size())
    throw std::invalid_argument("counts: expected one for each feature");
  const std::span<const FeatureId> ids = as_span(features);
  const std::span<const std::uint32_t> numbers = as_span(counts);
  RowMap& rows = model.rows();
  for (const FeatureId j : ids)
    if (static_cast<Index>(j) >= rows.n_features() || rows.row(j) != 0)
      throw std::invalid_argument("features: expected ids without a row below " +
                                  std::to_string(rows.n_features()) + ", found " +
                                  std::to_string(j));
  for (std::size_t i = 0; i < ids.size(); ++i)
    rows.set_count(ids[i], std::min(numbers[i], RowMap::kMostCounts));
  model.recount = true;
}

// (n_parts, 16); no parts before a stream's first rows that are learned one by one.
py::array_t<std::uint32_t> stream_noise(const Model& model) {
  const std::vector<NoiseState>& noise = model.stream.noise;
  py::array_t<std::uint32_t> out({noise.size(), std::tuple_size_v<NoiseState>});
  std::uint32_t* to = out.mutable_data();
  for (const NoiseState& part : noise) to = std::ranges::copy(part, to).out;
  return out;
}

void set_stream_position(Model& model, Index n_batches, const ArrayArg<std::uint32_t>& noise) {
  constexpr py::ssize_t width = std::tuple_size_v<NoiseState>;
  const auto n_parts = static_cast<py::ssize_t>(model.parts().size());
  if (noise.ndim() != 2 || noise.shape(1) != width || (noise.shape(0) != n_parts && noise.size()))
    throw std::invalid_argument("noise: expected 16 numbers for each part, or none");
  if (n_batches < 0) throw std::invalid_argument("n_batches: expected at least 0");
  model.stream.n_batches = n_batches;
  model.stream.noise.resize(static_cast<std::size_t>(noise.shape(0)));
  const std::uint32_t* from = noise.data();
  for (NoiseState& part : model.stream.noise) {
    std::copy_n(from, width, part.data());
    from += width;
  }
}

}  // namespace

void bind_stream(py::module_& m) {
  py::class_<StreamStats>(m, "StreamStats")
      .def_readonly("seconds", &StreamStats::seconds)
      .def_readonly("finite", &StreamStats::finite)
      .def_readonly("undone", &StreamStats::undone);

  py::reinterpret_borrow<py::class_<Model>>(m.attr("Model"))
      .def_property("min_count", &Model::min_count, &Model::set_min_count)
      .def_property_readonly("n_features",
                             [](const Model& model) { return model.spec().n_features; })
      .def_property_readonly("n_admitted",
                             [](const Model& model) { return model.rows().n_rows() - 1; })
      .def_property_readonly("n_counted",
                             [](const Model& model) { return model.rows().n_counted(); })
      .def_property_readonly("counts", &counts)
      .def("set_counts", &set_counts, py::arg("features").noconvert(),
           py::arg("counts").noconvert())
      .def_property_readonly("n_batches", [](const Model& model) { return model.stream.n_batches; })
      .def_property_readonly("stream_noise", &stream_noise)
      .def("set_stream_position", &set_stream_position, py::arg("n_batches"),
           py::arg("noise").noconvert())
      .def("learn", &learn_rows, py::arg("data"), py::kw_only(), py::arg("n_threads"),
           py::arg("batch_size"));
}

}  // namespace pyfm
