// Models: construction, training, prediction, weights.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind/bind.h"
#include "train/initializer.h"
#include "train/predictor.h"
#include "train/trainer.h"

namespace pyfm {

Poll make_poll(const py::object& callback) {
  return [callback](Index rows) {
    const py::gil_scoped_acquire held;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!callback.is_none()) callback(rows);
  };
}

namespace {

using OptimizerArg = std::optional<std::pair<std::string, std::map<std::string, double>>>;

std::optional<OptimizerSpec> optimizer(const OptimizerArg& arg) {
  if (!arg) return std::nullopt;
  return make_optimizer(arg->first, arg->second);
}

// The part and its shape for an array: (n, n_fields, n_factors), without what the part lacks.
std::pair<Part, std::vector<py::ssize_t>> find_part(Model& model, const std::string& name,
                                                    py::ssize_t n) {
  if (name == "linear" && model.find(Part::linear)) return {Part::linear, {n}};
  if (name == "factors")
    for (const Part part : {Part::fm, Part::ffm})
      if (const ModelPart* p = model.find(part)) {
        std::vector<py::ssize_t> shape = {n};
        if (part == Part::ffm) shape.push_back(p->shape.n_fields);
        shape.push_back(p->shape.n_factors);
        return {part, shape};
      }
  throw std::invalid_argument("part: this model has no '" + name + "'");
}

using Features = std::optional<ArrayArg<FeatureId>>;

// The features that were asked for; None: all.
std::vector<FeatureId> feature_list(const Model& model, const Features& features) {
  const Index n = model.spec().n_features;
  std::vector<FeatureId> list;
  if (features) {
    list.assign(features->data(), features->data() + features->size());
    for (const FeatureId j : list)
      if (static_cast<Index>(j) >= n)
        throw std::invalid_argument("features: expected ids in [0, " + std::to_string(n) +
                                    "), found " + std::to_string(j));
  } else {
    list.resize(static_cast<std::size_t>(n));
    std::iota(list.begin(), list.end(), FeatureId{0});
  }
  return list;
}

py::array_t<float> weights(Model& model, const std::string& name, const Features& features) {
  const std::vector<FeatureId> list = feature_list(model, features);
  const auto [part, shape] = find_part(model, name, static_cast<py::ssize_t>(list.size()));
  py::array_t<float> out(shape);
  float* to = out.mutable_data();
  const py::gil_scoped_release released;
  model.read(part, list, to);
  return out;
}

void set_weights(Model& model, const std::string& name, const ArrayArg<float>& values,
                 const Features& features) {
  const std::vector<FeatureId> list = feature_list(model, features);
  const auto [part, shape] = find_part(model, name, static_cast<py::ssize_t>(list.size()));
  if (!std::equal(shape.begin(), shape.end(), values.shape(), values.shape() + values.ndim()))
    throw std::invalid_argument("values: expected one row of weights for each feature");
  const float* from = values.data();
  const py::gil_scoped_release released;
  model.write(part, list, from);
}

// Ascending.
py::array_t<FeatureId> features(const Model& model) {
  std::vector<FeatureId> found;
  for (Index r = 1; r < model.rows().n_rows(); ++r)
    found.push_back(model.rows().feature(static_cast<RowId>(r)));
  std::ranges::sort(found);
  return py::array_t<FeatureId>(static_cast<py::ssize_t>(found.size()), found.data());
}

py::object bias(const py::object& self) {
  ModelPart* p = self.cast<Model&>().find(Part::linear);
  if (!p) return py::none();
  return py::array_t<float>({py::ssize_t{1}}, {}, p->bias.data(), self);
}

// Fills a new array of one value per row, without the GIL.
template <class T, class F>
py::array_t<T> per_row(Model& model, const Dataset& data, int n_threads, F&& score) {
  py::array_t<T> out(static_cast<py::ssize_t>(data.n_rows()));
  const std::span<T> values(out.mutable_data(), static_cast<std::size_t>(data.n_rows()));
  const Poll poll = make_poll(py::none());
  {
    const py::gil_scoped_release released;  // model and data are kept alive by the caller
    score(model, data, n_threads, poll, values);
  }
  return out;
}

}  // namespace

void bind_model(py::module_& m) {
  py::class_<EpochStats>(m, "EpochStats")
      .def_readonly("loss", &EpochStats::loss)
      .def_readonly("seconds", &EpochStats::seconds);
  py::class_<Snapshot>(m, "Snapshot").def(py::init<>());

  py::class_<Model>(m, "Model")
      .def(py::init([](std::string kind, std::string loss, Index n_features, Index n_fields,
                       Index n_factors, bool linear, bool normalize, double init_scale,
                       const std::string& dtype, std::uint64_t seed,
                       const OptimizerArg& linear_optimizer, const OptimizerArg& factor_optimizer) {
             return std::make_unique<Model>(
                 ModelSpec{std::move(kind), std::move(loss), n_features, n_fields, n_factors,
                           linear, normalize, init_scale, storage_of(dtype), seed,
                           optimizer(linear_optimizer), optimizer(factor_optimizer)});
           }),
           py::kw_only(), py::arg("kind"), py::arg("loss"), py::arg("n_features"),
           py::arg("n_fields"), py::arg("n_factors"), py::arg("linear"), py::arg("normalize"),
           py::arg("init_scale"), py::arg("dtype"), py::arg("seed"), py::arg("linear_optimizer"),
           py::arg("factor_optimizer"))
      .def_property_readonly("nbytes", &Model::nbytes)
      .def_property_readonly("weight_nbytes", &Model::weight_nbytes)
      .def_property_readonly("bias", &bias)
      .def_property_readonly("features", &features)
      .def("weights", &weights, py::arg("part"), py::arg("features").noconvert() = py::none())
      .def("set_weights", &set_weights, py::arg("part"), py::arg("values").noconvert(),
           py::arg("features").noconvert() = py::none())
      .def(
          "set_optimizer",
          [](Model& model, const std::string& name, const OptimizerArg::value_type& arg) {
            model.set_optimizer(find_part(model, name, 0).first,
                                make_optimizer(arg.first, arg.second));
          },
          py::arg("part"), py::arg("optimizer"))
      .def(
          "initialize",
          [](Model& model, const Dataset& data, int n_threads) {
            const Poll poll = make_poll(py::none());
            const py::gil_scoped_release released;
            initialize(model, data, n_threads, poll);
          },
          py::arg("data"), py::kw_only(), py::arg("n_threads"))
      .def(
          "train_epoch",
          [](Model& model, const Dataset& data, Index epoch, bool shuffle, int n_threads,
             const py::object& poll, Index batch_size) {
            if (batch_size < 0) throw std::invalid_argument("batch_size: expected at least 0");
            const EpochOptions options{epoch, shuffle, n_threads, make_poll(poll), batch_size};
            const py::gil_scoped_release released;
            return train_epoch(model, data, options);
          },
          py::arg("data"), py::kw_only(), py::arg("epoch"), py::arg("shuffle"),
          py::arg("n_threads"), py::arg("poll"), py::arg("batch_size") = 1)
      .def(
          "decision_function",
          [](Model& model, const Dataset& data, int n_threads) {
            return per_row<float>(model, data, n_threads, decision_function);
          },
          py::arg("data"), py::kw_only(), py::arg("n_threads"))
      .def(
          "predict",
          [](Model& model, const Dataset& data, int n_threads) {
            return per_row<double>(model, data, n_threads, predict);
          },
          py::arg("data"), py::kw_only(), py::arg("n_threads"))
      .def("is_finite", &Model::is_finite, py::call_guard<py::gil_scoped_release>())
      .def("save", &Model::save, py::arg("snapshot"), py::call_guard<py::gil_scoped_release>())
      .def("restore", &Model::restore, py::arg("snapshot"),
           py::call_guard<py::gil_scoped_release>());
}

}  // namespace pyfm
