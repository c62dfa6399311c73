// What the binding files share. `module.cpp` is their table of contents.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <span>
#include <vector>

#include "train/model.h"
#include "train/rows.h"

namespace pyfm {

namespace py = pybind11;

void bind_data(py::module_& m);
void bind_model(py::module_& m);
void bind_stream(py::module_& m);
void bind_network(py::module_& m);
void bind_nn(py::module_& m);
void bind_metrics(py::module_& m);
void bind_library(py::module_& m);

// Runs without the GIL; takes it to look for Ctrl-C and to call back.
Poll make_poll(const py::object& callback);

// Of an array of n things for each output of a model: (n,), where it has several (n, n_outputs).
std::vector<py::ssize_t> shape_of(const Model& model, py::ssize_t n);

// Contiguous; pybind11 copies what is not. The Python layer sees to it that nothing large is.
template <class T>
using ArrayArg = py::array_t<T, py::array::c_style | py::array::forcecast>;

template <class T>
std::span<const T> as_span(const ArrayArg<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

}  // namespace pyfm
