// Models: construction, training, prediction, views into the weights.
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bind/bind.h"
#include "train/initializer.h"
#include "train/predictor.h"
#include "train/trainer.h"

namespace pyfm {

namespace {

using OptimizerArg = std::optional<std::pair<std::string, std::map<std::string, double>>>;

std::optional<OptimizerSpec> optimizer(const OptimizerArg& arg) {
  if (!arg) return std::nullopt;
  return make_optimizer(arg->first, arg->second);
}

// Runs without the GIL; takes it to look for Ctrl-C and to call back.
Poll make_poll(const py::object& callback) {
  return [callback](Index rows) {
    const py::gil_scoped_acquire held;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!callback.is_none()) callback(rows);
  };
}

// A writable view of the weights in `part`; it keeps the model alive.
py::object weights(const py::object& self, Part part) {
  ModelPart* p = self.cast<Model&>().find(part);
  if (!p) return py::none();
  const PartShape& s = p->shape;
  const auto bytes = [](Index floats) {
    return static_cast<py::ssize_t>(floats * Index{sizeof(float)});
  };
  std::vector<py::ssize_t> shape = {s.n_features}, strides = {bytes(s.stride)};
  if (part == Part::ffm) shape.push_back(s.n_fields), strides.push_back(bytes(s.block));
  if (part != Part::linear) shape.push_back(s.n_factors), strides.push_back(bytes(1));
  return py::array_t<float>(shape, strides, p->rows.data(), self);
}

py::object factors(const py::object& self) {
  const py::object fm = weights(self, Part::fm);
  return fm.is_none() ? weights(self, Part::ffm) : fm;
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
                       std::uint64_t seed, const OptimizerArg& linear_optimizer,
                       const OptimizerArg& factor_optimizer) {
             return std::make_unique<Model>(ModelSpec{std::move(kind), std::move(loss), n_features,
                                                      n_fields, n_factors, linear, normalize,
                                                      init_scale, seed, optimizer(linear_optimizer),
                                                      optimizer(factor_optimizer)});
           }),
           py::kw_only(), py::arg("kind"), py::arg("loss"), py::arg("n_features"),
           py::arg("n_fields"), py::arg("n_factors"), py::arg("linear"), py::arg("normalize"),
           py::arg("init_scale"), py::arg("seed"), py::arg("linear_optimizer"),
           py::arg("factor_optimizer"))
      .def_property_readonly("nbytes", &Model::nbytes)
      .def_property_readonly("weight_nbytes", &Model::weight_nbytes)
      .def_property_readonly("bias", &bias)
      .def_property_readonly("linear",
                             [](const py::object& self) { return weights(self, Part::linear); })
      .def_property_readonly("factors", &factors)
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
             const py::object& poll) {
            const EpochOptions options{epoch, shuffle, n_threads, make_poll(poll)};
            const py::gil_scoped_release released;
            return train_epoch(model, data, options);
          },
          py::arg("data"), py::kw_only(), py::arg("epoch"), py::arg("shuffle"),
          py::arg("n_threads"), py::arg("poll"))
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
      .def("save", &Model::save, py::arg("snapshot"), py::call_guard<py::gil_scoped_release>())
      .def("restore", &Model::restore, py::arg("snapshot"),
           py::call_guard<py::gil_scoped_release>());
}

}  // namespace pyfm
