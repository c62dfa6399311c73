// Layers on NumPy's buffers, none of which is copied.
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "base/team.h"
#include "bind/bind.h"
#include "nn/activation.h"
#include "nn/batch_norm.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/gemm.h"
#include "nn/layer_norm.h"
#include "nn/prelu.h"
#include "nn/residual.h"
#include "nn/sequential.h"
#include "nn/tower.h"

namespace pyfm {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& expected,
                         const std::string& found) {
  throw std::invalid_argument(name + ": expected " + expected + ", found " + found);
}

std::string text(const py::handle& object) {
  return py::cast<std::string>(py::str(object));
}

// A view of a float32 array (rows, columns), or (columns,) where there is one row. -1: any number.
Matrix view(const std::string& name, const py::array& array, Index rows, Index columns,
            bool writeable) {
  if (!py::isinstance<py::array_t<float>>(array))
    refuse(name, "an array of float32", "one of " + text(array.dtype()));
  const bool vector = rows == 1 && array.ndim() == 1;
  const auto shaped = [&](Index n, Index found) { return n < 0 || n == found; };
  if (!(vector && shaped(columns, array.shape(0))) &&
      !(array.ndim() == 2 && shaped(rows, array.shape(0)) && shaped(columns, array.shape(1))))
    refuse(name,
           "shape (" +
               (rows == 1  ? ""
                : rows < 0 ? "batch, "
                           : std::to_string(rows) + ", ") +
               (columns < 0 ? "features" : std::to_string(columns)) + (rows == 1 ? ",)" : ")"),
           text(array.attr("shape")));
  const Index width = array.shape(array.ndim() - 1), height = vector ? 1 : array.shape(0);
  constexpr Index size = sizeof(float);
  const Index stride = height > 1 && array.size() > 0 ? array.strides(0) : width * size;
  const bool in_rows = width <= 1 || array.size() == 0 || array.strides(array.ndim() - 1) == size;
  if (!in_rows || stride < width * size || stride / size > std::numeric_limits<int>::max() ||
      stride % size != 0 || reinterpret_cast<std::uintptr_t>(array.data()) % size != 0)
    refuse(name,
           "rows that lie in memory without gaps between their numbers (ascontiguousarray "
           "makes them so)",
           "strides " + text(array.attr("strides")));
  if (writeable && !array.writeable())
    refuse(name, "an array that can be written to", "a read-only one");
  return {static_cast<float*>(const_cast<void*>(array.data())), height, width, stride / size};
}

// A layer, the arrays of its parameters, and what its last batch left behind.
class BoundLayer {
 public:
  explicit BoundLayer(std::unique_ptr<Layer> layer)
      : layer_(std::move(layer)), n_in_(layer_->n_in()), n_out_(layer_->n_out()) {}

  Index n_in() const { return n_in_; }
  Index n_out() const { return n_out_; }
  Layer& layer() const {
    if (!layer_) throw std::invalid_argument("this layer is a part of another one now");
    return *layer_;
  }
  // For the layer that this one becomes a part of.
  std::unique_ptr<Layer> take() {
    layer();
    return std::move(layer_);
  }

  void bind(const std::vector<py::array>& values, const std::vector<py::array>& gradients) {
    const std::vector<Parameter> parameters = layer().parameters();
    if (values.size() != parameters.size() || gradients.size() != parameters.size())
      throw std::invalid_argument("parameters: expected " + std::to_string(parameters.size()) +
                                  " arrays, found " + std::to_string(values.size()));
    std::vector<ParameterMemory> memory;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Parameter& p = parameters[i];
      memory.push_back({view(p.name, values[i], p.rows, p.columns, false),
                        view("gradient of " + p.name, gradients[i], p.rows, p.columns, true)});
    }
    const std::lock_guard lock(mutex_);
    layer_->bind(memory);
    values_ = values;
    gradients_ = gradients;
    bound_ = true;
    out_ = std::nullopt;
  }

  void forward(const py::array& x, const py::array& out, std::uint64_t key, int n_threads) {
    const Matrix from = input(x), to = view("out", out, from.rows, n_out_, true);
    const int threads = resolve_threads(n_threads);
    out_ = std::nullopt;  // a forward pass that fails leaves nothing to go back from
    {
      const py::gil_scoped_release released;  // the arguments keep the buffers alive
      const std::lock_guard lock(mutex_);
      Team::run(threads, [&](Team& team) { layer_->forward(from, to, workspace_, {team, key}); });
    }
    n_threads_ = threads;
    key_ = key;
    x_ = x;
    out_ = out;
  }

  void backward(const py::array& dout, const std::optional<py::array>& dx) {
    layer();
    if (!out_)
      throw std::invalid_argument("backward: expected a call of forward before it, found none");
    // Copies, since another thread may call `forward` while this one has no GIL.
    const py::array read = x_, written = *out_;
    const int threads = n_threads_;
    const std::uint64_t key = key_;
    const Matrix x = input(read), out = view("out", written, x.rows, n_out_, false);
    const Matrix slope = view("dout", dout, x.rows, n_out_, false);
    const Matrix to = dx ? view("dx", *dx, x.rows, n_in_, true) : Matrix{};
    const py::gil_scoped_release released;
    const std::lock_guard lock(mutex_);
    Team::run(threads,
              [&](Team& team) { layer_->backward(x, out, slope, to, workspace_, {team, key}); });
  }

  void predict(const py::array& x, const py::array& out, int n_threads) const {
    const Matrix from = input(x), to = view("out", out, from.rows, n_out_, true);
    const py::gil_scoped_release released;
    Workspace workspace;
    Team::run(resolve_threads(n_threads),
              [&](Team& team) { layer_->predict(from, to, workspace, team); });
  }

 private:
  Matrix input(const py::array& x) const {
    if (!layer().parameters().empty() && !bound_)
      throw std::invalid_argument("the layer's parameters have no memory yet");
    return view("x", x, -1, n_in_, false);
  }

  std::unique_ptr<Layer> layer_;
  Index n_in_, n_out_;
  std::vector<py::array> values_, gradients_;
  bool bound_ = false;
  mutable std::mutex mutex_;  // of the workspace
  Workspace workspace_;
  int n_threads_ = 1;
  std::uint64_t key_ = 0;
  py::array x_;
  std::optional<py::array> out_;
};

using Bound = std::unique_ptr<BoundLayer>;

template <class L, class... A>
Bound make(A&&... arguments) {
  return std::make_unique<BoundLayer>(std::make_unique<L>(std::forward<A>(arguments)...));
}

py::list parameters(const BoundLayer& bound) {
  py::list all;
  for (const Parameter& p : bound.layer().parameters())
    all.append(py::make_tuple(p.name, p.rows, p.columns));
  return all;
}

// Views that keep the layer alive.
py::dict buffers(const py::object& self) {
  py::dict all;
  for (const Buffer& b : self.cast<BoundLayer&>().layer().buffers())
    all[py::str(b.name)] =
        py::array_t<double>(static_cast<py::ssize_t>(b.values.size()), b.values.data(), self);
  return all;
}

void initialize_parameters(const BoundLayer& bound, const std::vector<py::array>& values,
                           std::uint64_t seed) {
  const std::vector<Parameter> all = bound.layer().parameters();
  for (std::size_t i = 0; i < all.size(); ++i)
    initialize(view(all[i].name, values.at(i), all[i].rows, all[i].columns, true), all[i].start,
               random_key(seed, i));
}

// SciPy's pointer to sgemm, with the Fortran interface.
void use_sgemm(const py::capsule& sgemm) {
  const std::string type = sgemm.name() ? sgemm.name() : "";
  if (!type.starts_with("void (char *, char *, int *, int *, int *,"))
    throw std::runtime_error("SciPy's sgemm: expected one with 32-bit integers, found " + type);
  set_sgemm(reinterpret_cast<Sgemm>(sgemm.get_pointer()));
}

}  // namespace

void bind_nn(py::module_& m) {
  py::class_<BoundLayer>(m, "Layer")
      .def_property_readonly("n_in", &BoundLayer::n_in)
      .def_property_readonly("n_out", &BoundLayer::n_out)
      .def("parameters", &parameters)
      .def("initialize", &initialize_parameters, py::arg("values"), py::arg("seed"))
      .def("bind", &BoundLayer::bind, py::arg("values"), py::arg("gradients"))
      .def("buffers", &buffers)
      .def("start_epoch", [](const BoundLayer& b) { b.layer().start_epoch(); })
      .def("forward", &BoundLayer::forward, py::arg("x"), py::arg("out"), py::kw_only(),
           py::arg("key"), py::arg("n_threads"))
      .def("backward", &BoundLayer::backward, py::arg("dout"), py::arg("dx"))
      .def("predict", &BoundLayer::predict, py::arg("x"), py::arg("out"), py::kw_only(),
           py::arg("n_threads"));

  m.def("use_sgemm", &use_sgemm, py::arg("sgemm"));
  m.def(
      "dense",
      [](Index n_in, Index n_out, bool bias, const std::string& f, const std::string& init) {
        return make<Dense>(n_in, n_out,
                           DenseOptions{bias, find_activation(f), {find_scheme(init)}});
      },
      py::arg("n_in"), py::arg("n_out"), py::kw_only(), py::arg("bias"), py::arg("activation"),
      py::arg("init"));
  m.def(
      "batch_norm",
      [](Index n, double eps, double momentum, const std::string& how, bool relu) {
        return make<BatchNorm>(n, BatchNormOptions{eps, momentum, find_inference(how), relu});
      },
      py::arg("n"), py::kw_only(), py::arg("eps"), py::arg("momentum"), py::arg("inference"),
      py::arg("relu"));
  m.def("layer_norm", &make<LayerNorm, Index, double>, py::arg("n"), py::kw_only(), py::arg("eps"));
  m.def("dropout", &make<Dropout, Index, double>, py::arg("n"), py::arg("rate"));
  m.def(
      "activation",
      [](Index n, const std::string& name, std::optional<float> alpha) {
        Activation found = find_activation(name);
        if (alpha) found.alpha = *alpha;
        return make<ActivationLayer>(n, found);
      },
      py::arg("n"), py::arg("name"), py::kw_only(), py::arg("alpha"));
  m.def("prelu", &make<PRelu, Index>, py::arg("n"));
  m.def(
      "residual",
      [](BoundLayer& inner, const std::string& init) {
        const Start start{find_scheme(init)};
        return make<Residual>(inner.take(), start);
      },
      py::arg("inner"), py::kw_only(), py::arg("init"));
  m.def(
      "sequential",
      [](const std::vector<BoundLayer*>& parts) {
        Layers layers;
        for (const BoundLayer* part : parts) {
          if (!part) refuse("layers", "layers", "None among them");
          part->layer();
        }
        for (BoundLayer* part : parts) layers.push_back(part->take());
        return make<Sequential>(std::move(layers));
      },
      py::arg("layers"));
  m.def(
      "tower",
      [](Index n_in, std::vector<Index> hidden, const std::string& f, bool batch_norm, double eps,
         double momentum, const std::string& how, double dropout, int residual) {
        return std::make_unique<BoundLayer>(make_tower(
            {n_in, std::move(hidden), f, batch_norm,
             BatchNormOptions{eps, momentum, find_inference(how), false}, dropout, residual}));
      },
      py::arg("n_in"), py::kw_only(), py::arg("hidden"), py::arg("activation"),
      py::arg("batch_norm"), py::arg("eps"), py::arg("momentum"), py::arg("inference"),
      py::arg("dropout"), py::arg("residual"));
}

}  // namespace pyfm
