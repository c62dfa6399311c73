// Metrics: one function each, (y, prediction, weight) -> float.
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "bind/bind.h"
#include "metric/metric.h"

namespace pyfm {

namespace {

void check_length(const char* name, py::ssize_t found, py::ssize_t expected) {
  if (found != expected)
    throw std::invalid_argument(std::string(name) + ": expected " + std::to_string(expected) +
                                " entries, as many as y, found " + std::to_string(found));
}

}  // namespace

void bind_metrics(py::module_& m) {
  for (const Metric& metric : metrics())
    m.def(
        std::string(metric.name).c_str(),
        [&metric](const ArrayArg<float>& y, const ArrayArg<double>& prediction,
                  const std::optional<ArrayArg<float>>& weight) {
          check_length("prediction", prediction.size(), y.size());
          if (weight) check_length("weight", weight->size(), y.size());
          const MetricInput in{as_span(y), as_span(prediction),
                               weight ? as_span(*weight) : std::span<const float>()};
          const py::gil_scoped_release released;  // the arguments keep the buffers alive
          return metric.value(in);
        },
        py::arg("y"), py::arg("prediction"), py::arg("weight"));
}

}  // namespace pyfm
