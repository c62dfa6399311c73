// The networks of deep models: what they are made of, their weights and statistics.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bind/bind.h"
#include "train/model.h"

namespace pyfm {

namespace {

Network& network_of(Model& model) {
  if (!model.network()) throw std::invalid_argument("this model has no network");
  return *model.network();
}

int check_slot(const Network& network, int slot) {
  if (slot < 0 || slot > network.slots())
    throw std::invalid_argument("slot: expected 0 for weights, or up to " +
                                std::to_string(network.slots()) + ", found " +
                                std::to_string(slot));
  return slot;
}

py::array_t<float> weights(Model& model, const std::string& name, int slot,
                           const Snapshot* snapshot) {
  Network& network = network_of(model);
  const DenseTable& table = network.table(name);
  py::array_t<float> out({table.n_rows, Index{table.shape.n_factors}});
  if (snapshot)
    network.read(snapshot->network, table, out.mutable_data());
  else
    network.read(table, check_slot(network, slot), out.mutable_data());
  return out;
}

void set_weights(Model& model, const std::string& name, const ArrayArg<float>& values, int slot) {
  Network& network = network_of(model);
  DenseTable& table = network.table(name);
  if (values.ndim() != 2 || values.shape(0) != table.n_rows ||
      values.shape(1) != table.shape.n_factors)
    throw std::invalid_argument("values: expected the shape of " + name);
  network.write(table, check_slot(network, slot), values.data());
}

py::array_t<double> statistics(Model& model, const std::string& name, const Snapshot* snapshot) {
  Network& network = network_of(model);
  const std::span<double> values = network.buffer(name);
  py::array_t<double> out(static_cast<py::ssize_t>(values.size()), values.data());
  if (snapshot) network.read(snapshot->network, name, out.mutable_data());
  return out;
}

void set_statistics(Model& model, const std::string& name, const ArrayArg<double>& values) {
  const std::span<double> to = network_of(model).buffer(name);
  if (values.ndim() != 1 || static_cast<std::size_t>(values.size()) != to.size())
    throw std::invalid_argument("values: expected the shape of " + name);
  std::ranges::copy(as_span(values), to.begin());
}

// Shapes of weights and of statistics, by name.
py::tuple shapes(const TowerSpec& spec) {
  const std::unique_ptr<Sequential> tower = make_tower(spec);
  py::dict weights, statistics;
  for (const Parameter& p : tower->parameters())
    weights[py::str(p.name)] = py::make_tuple(p.rows, p.columns);
  for (const Buffer& b : tower->buffers())
    statistics[py::str(b.name)] = py::make_tuple(b.values.size());
  return py::make_tuple(weights, statistics);
}

TowerSpec tower(Index n_in, std::vector<Index> hidden, std::string activation, bool batch_norm,
                const std::string& inference, double dropout, int residual) {
  TowerSpec spec;
  spec.n_in = n_in;
  spec.hidden = std::move(hidden);
  spec.activation = std::move(activation);
  spec.batch_norm = batch_norm;
  spec.batch_norm_options.inference = find_inference(inference);
  spec.dropout = dropout;
  spec.residual = residual;
  return spec;
}

}  // namespace

void bind_network(py::module_& m) {
  py::class_<TowerSpec>(m, "Tower")
      .def(py::init(&tower), py::kw_only(), py::arg("n_in"), py::arg("hidden"),
           py::arg("activation"), py::arg("batch_norm"), py::arg("inference"), py::arg("dropout"),
           py::arg("residual"))
      .def_property_readonly("shapes", &shapes);

  py::reinterpret_borrow<py::class_<Model>>(m.attr("Model"))
      .def_property_readonly("is_deep",
                             [](const Model& model) { return model.network() != nullptr; })
      .def("network_weights", &weights, py::arg("name"), py::kw_only(), py::arg("slot") = 0,
           py::arg("snapshot") = py::none())
      .def("set_network_weights", &set_weights, py::arg("name"), py::arg("values").noconvert(),
           py::kw_only(), py::arg("slot") = 0)
      .def("network_statistics", &statistics, py::arg("name"), py::kw_only(),
           py::arg("snapshot") = py::none())
      .def("set_network_statistics", &set_statistics, py::arg("name"),
           py::arg("values").noconvert());
}

}  // namespace pyfm
