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
#include "train/numbered_rows.h"
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

std::vector<py::ssize_t> shape_of(const Model& model, py::ssize_t n) {
  std::vector<py::ssize_t> shape = {n};
  if (model.n_outputs() > 1) shape.push_back(static_cast<py::ssize_t>(model.n_outputs()));
  return shape;
}

namespace {

using OptimizerArg = std::optional<std::pair<std::string, std::map<std::string, double>>>;

std::optional<OptimizerSpec> optimizer(const OptimizerArg& arg) {
  if (!arg) return std::nullopt;
  return make_optimizer(arg->first, arg->second);
}

// The part and its shape for an array: (n, n_outputs, n_fields, n_factors), without what the model
// or the part lacks.
std::pair<Part, std::vector<py::ssize_t>> find_part(Model& model, const std::string& name,
                                                    py::ssize_t n) {
  std::vector<py::ssize_t> shape = shape_of(model, n);
  if (name == "linear" && model.find(Part::linear)) return {Part::linear, shape};
  if (name == "factors")
    for (const Part part : {Part::fm, Part::ffm})
      if (const ModelPart* p = model.find(part)) {
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

py::array_t<float> weights(Model& model, const std::string& name, const Features& features,
                           const Snapshot* snapshot) {
  const std::vector<FeatureId> list = feature_list(model, features);
  const auto [part, shape] = find_part(model, name, static_cast<py::ssize_t>(list.size()));
  py::array_t<float> out(shape);
  float* to = out.mutable_data();
  const py::gil_scoped_release released;
  model.read(part, list, to, snapshot);
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

// The part, and the shape of its optimizer's state: (n, slots, n_outputs, n_fields, n_factors),
// without what the model or the part lacks.
std::pair<Part, std::vector<py::ssize_t>> find_state(Model& model, const std::string& name,
                                                     std::size_t n) {
  auto [part, shape] = find_part(model, name, static_cast<py::ssize_t>(n));
  shape.insert(shape.begin() + 1, model.slots(part));
  return {part, shape};
}

py::array_t<float> state(Model& model, const std::string& name, const ArrayArg<FeatureId>& of) {
  const std::vector<FeatureId> list = feature_list(model, of);
  const auto [part, shape] = find_state(model, name, list.size());
  py::array_t<float> out(shape);
  float* to = out.mutable_data();
  const py::gil_scoped_release released;
  model.read_state(part, list, to);
  return out;
}

void set_state(Model& model, const std::string& name, const ArrayArg<float>& values,
               const ArrayArg<FeatureId>& of) {
  const std::vector<FeatureId> list = feature_list(model, of);
  const auto [part, shape] = find_state(model, name, list.size());
  if (!std::equal(shape.begin(), shape.end(), values.shape(), values.shape() + values.ndim()))
    throw std::invalid_argument("values: expected the state of each feature");
  const float* from = values.data();
  const py::gil_scoped_release released;
  model.write_state(part, list, from);
}

// f(number of the biases' state, number of an array of shape (slots,) or (slots, n_outputs)).
template <class F>
void for_bias_state(Model& model, F&& f) {
  const auto n = static_cast<Index>(model.n_outputs());
  for (Index slot = 0; slot < model.slots(Part::linear); ++slot)
    for (Index output = 0; output < n; ++output)
      f(model.biases()[static_cast<std::size_t>(output * model.bias_stride() + slot + 1)],
        slot * n + output);
}

py::object bias_state(Model& model) {
  if (model.biases().empty() || !model.bias_started) return py::none();
  py::array_t<float> out(shape_of(model, model.slots(Part::linear)));
  for_bias_state(model, [to = out.mutable_data()](float x, Index i) { to[i] = x; });
  return out;
}

void set_bias_state(Model& model, const ArrayArg<float>& values) {
  const bool has_bias = !model.biases().empty();
  const auto shape = shape_of(model, has_bias ? model.slots(Part::linear) : 0);
  if (!has_bias ||
      !std::equal(shape.begin(), shape.end(), values.shape(), values.shape() + values.ndim()))
    throw std::invalid_argument("values: expected the state of the bias");
  for_bias_state(model, [from = values.data()](float& x, Index i) { x = from[i]; });
  model.bias_started = true;
}

py::array_t<float> frequencies(const Model& model) {
  return py::array_t<float>(static_cast<py::ssize_t>(model.hot.size()), model.hot.data());
}

void set_frequencies(Model& model, const ArrayArg<float>& values) {
  if (values.ndim() != 1 || values.size() >= model.rows().n_rows())
    throw std::invalid_argument("values: expected a number for each of the first rows");
  model.hot.assign(values.data(), values.data() + values.size());
}

py::array_t<FeatureId> features_by_row(const Model& model) {
  const std::span<const FeatureId> found = model.rows().features().subspan(1);
  return py::array_t<FeatureId>(static_cast<py::ssize_t>(found.size()), found.data());
}

// Ascending.
py::array_t<FeatureId> features(const Model& model) {
  py::array_t<FeatureId> found = features_by_row(model);
  std::sort(found.mutable_data(), found.mutable_data() + found.size());
  return found;
}

py::object bias(const py::object& self) {
  Model& model = self.cast<Model&>();
  if (model.biases().empty()) return py::none();
  return py::array_t<float>({static_cast<py::ssize_t>(model.n_outputs())},
                            {model.bias_stride() * Index{sizeof(float)}}, model.biases().data(),
                            self);
}

// Fills a new array of one value per row and output, without the GIL.
template <class T, class F>
py::array_t<T> per_row(Model& model, const Dataset& data, int n_threads, F&& score) {
  py::array_t<T> out(shape_of(model, static_cast<py::ssize_t>(data.n_rows())));
  const std::span<T> values(out.mutable_data(), static_cast<std::size_t>(out.size()));
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
  py::class_<EpochPosition>(m, "EpochPosition")
      .def(py::init<>())
      .def_readonly("n_rows", &EpochPosition::n_rows);
  py::class_<NumberedRows>(m, "NumberedRows");
  py::class_<Snapshot>(m, "Snapshot")
      .def(py::init<>())
      .def_property_readonly("bias", [](const Snapshot& s) {
        return py::array_t<float>(static_cast<py::ssize_t>(s.biases.size()), s.biases.data());
      });

  py::class_<Model>(m, "Model")
      .def(py::init([](std::string kind, std::string loss, Index n_features, Index n_fields,
                       Index n_factors, bool linear, bool normalize, double init_scale,
                       const std::string& dtype, std::uint64_t seed,
                       const OptimizerArg& linear_optimizer, const OptimizerArg& factor_optimizer,
                       const OptimizerArg& deep_optimizer, const TowerSpec* tower,
                       std::vector<FieldId> deep_fields, Index n_outputs) {
             return std::make_unique<Model>(ModelSpec{
                 std::move(kind), std::move(loss), n_features, n_fields, n_factors, linear,
                 normalize, init_scale, storage_of(dtype), seed, optimizer(linear_optimizer),
                 optimizer(factor_optimizer), optimizer(deep_optimizer),
                 tower ? *tower : TowerSpec{}, std::move(deep_fields), n_outputs});
           }),
           py::kw_only(), py::arg("kind"), py::arg("loss"), py::arg("n_features"),
           py::arg("n_fields"), py::arg("n_factors"), py::arg("linear"), py::arg("normalize"),
           py::arg("init_scale"), py::arg("dtype"), py::arg("seed"), py::arg("linear_optimizer"),
           py::arg("factor_optimizer"), py::arg("deep_optimizer") = py::none(),
           py::arg("tower") = py::none(), py::arg("deep_fields") = std::vector<FieldId>{},
           py::arg("n_outputs") = 1)
      .def_property_readonly("nbytes", &Model::nbytes)
      .def_property_readonly("weight_nbytes", &Model::weight_nbytes)
      .def_property_readonly("n_outputs", &Model::n_outputs)
      .def_property_readonly("bias", &bias)
      .def_property_readonly("features", &features)
      .def_property_readonly("features_by_row", &features_by_row)
      .def_property_readonly("seed", [](const Model& model) { return model.spec().seed; })
      .def("weights", &weights, py::arg("part"), py::arg("features").noconvert() = py::none(),
           py::arg("snapshot") = py::none())
      .def("set_weights", &set_weights, py::arg("part"), py::arg("values").noconvert(),
           py::arg("features").noconvert() = py::none())
      .def(
          "add_rows",
          [](Model& model, const ArrayArg<FeatureId>& of) {
            const std::vector<FeatureId> list = feature_list(model, of);
            const py::gil_scoped_release released;
            model.add_empty_rows(list);
          },
          py::arg("features").noconvert())
      .def("state", &state, py::arg("part"), py::arg("features").noconvert())
      .def("set_state", &set_state, py::arg("part"), py::arg("values").noconvert(),
           py::arg("features").noconvert())
      .def_property_readonly("bias_state", &bias_state)
      .def("set_bias_state", &set_bias_state, py::arg("values").noconvert())
      .def_property_readonly("frequencies", &frequencies)
      .def("set_frequencies", &set_frequencies, py::arg("values").noconvert())
      .def(
          "set_optimizer",
          [](Model& model, const std::string& name, const OptimizerArg::value_type& arg) {
            const OptimizerSpec spec = make_optimizer(arg.first, arg.second);
            if (name == "deep" && model.network()) return model.network()->set_optimizer(spec);
            model.set_optimizer(find_part(model, name, 0).first, spec);
          },
          py::arg("part"), py::arg("optimizer"))
      .def(
          "freeze",
          [](Model& model, const std::string& name, bool frozen) {
            if (name == "deep" && model.network()) return model.network()->freeze(frozen);
            model.freeze(find_part(model, name, 0).first, frozen);
          },
          py::arg("part"), py::arg("frozen"))
      .def(
          "initialize",
          [](Model& model, const Dataset& data, int n_threads, const Augmentation* augmentation) {
            const Poll poll = make_poll(py::none());
            const py::gil_scoped_release released;
            initialize(model, data, n_threads, poll, augmentation);
          },
          py::arg("data"), py::kw_only(), py::arg("n_threads"),
          py::arg("augmentation") = py::none())
      .def(
          "number_rows",
          [](const Model& model, const Dataset& data, int n_threads) {
            const Poll poll = make_poll(py::none());
            const py::gil_scoped_release released;
            return number_rows(model, data, n_threads, poll);
          },
          py::arg("data"), py::kw_only(), py::arg("n_threads"))
      .def("forget_counts", [](Model& model) { model.rows().forget_counts(); })
      .def(
          "count_piece",
          [](Model& model, const Dataset& piece, Index place, int n_threads,
             const Augmentation* augmentation) {
            const Poll poll = make_poll(py::none());
            const py::gil_scoped_release released;
            count_piece(model, piece, place, n_threads, poll, augmentation);
          },
          py::arg("piece"), py::kw_only(), py::arg("place"), py::arg("n_threads"),
          py::arg("augmentation") = py::none())
      .def(
          "initialize_counted",
          [](Model& model, Index n_rows, int n_threads, const Augmentation* augmentation) {
            const Poll poll = make_poll(py::none());
            const py::gil_scoped_release released;
            initialize_counted(model, n_rows, n_threads, poll, augmentation);
          },
          py::arg("n_rows"), py::kw_only(), py::arg("n_threads"),
          py::arg("augmentation") = py::none())
      .def_property_readonly("all_fields_are_deep",
                             [](Model& model) { return model.columns() == nullptr; })
      .def(
          "initialize_vectors",
          [](Model& model, const Dataset& piece, int n_threads) {
            const Poll poll = make_poll(py::none());
            const py::gil_scoped_release released;
            initialize_vectors(model, piece, n_threads, poll);
          },
          py::arg("piece"), py::kw_only(), py::arg("n_threads"))
      .def(
          "train_epoch",
          [](Model& model, const Dataset& data, Index epoch, bool shuffle, int n_threads,
             const py::object& poll, Index batch_size, const Augmentation* augmentation,
             EpochPosition* position, const NumberedRows* numbered) {
            if (batch_size < 0) throw std::invalid_argument("batch_size: expected at least 0");
            const EpochOptions options{.epoch = epoch,
                                       .shuffle = shuffle,
                                       .n_threads = n_threads,
                                       .poll = make_poll(poll),
                                       .batch_size = batch_size,
                                       .augmentation = augmentation,
                                       .numbered = numbered,
                                       .position = position};
            const py::gil_scoped_release released;
            return train_epoch(model, data, options);
          },
          py::arg("data"), py::kw_only(), py::arg("epoch"), py::arg("shuffle"),
          py::arg("n_threads"), py::arg("poll"), py::arg("batch_size") = 1,
          py::arg("augmentation") = py::none(), py::arg("position") = py::none(),
          py::arg("numbered") = py::none())
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
      .def(
          "is_finite",
          [](const Model& model, int n_threads) {
            return model.is_finite(resolve_threads(n_threads));
          },
          py::kw_only(), py::arg("n_threads"), py::call_guard<py::gil_scoped_release>())
      .def("save", &Model::save, py::arg("snapshot"), py::call_guard<py::gil_scoped_release>())
      .def("restore", &Model::restore, py::arg("snapshot"),
           py::call_guard<py::gil_scoped_release>());
}

}  // namespace pyfm
