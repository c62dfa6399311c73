// The Python module: a table of contents.
#include "bind/bind.h"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  pyfm::bind_library(m);
  pyfm::bind_data(m);
  pyfm::bind_model(m);
  pyfm::bind_network(m);
  pyfm::bind_stream(m);
  pyfm::bind_nn(m);
  pyfm::bind_metrics(m);
}
