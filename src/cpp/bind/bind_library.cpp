// Facts about the library itself, and how its exceptions become Python's.
#include <exception>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/parallel.h"
#include "bind/bind.h"
#include "loss/loss.h"
#include "metric/metric.h"
#include "simd/level.h"
#include "train/kernels.h"
#include "train/spec.h"

namespace pyfm {

namespace {

template <class List>
py::list names(const List& list) {
  py::list found;
  for (const auto& item : list) found.append(std::string(item.name));
  return found;
}

py::dict catalog() {
  py::dict known, params, slots;
  for (const OptimizerInfo& info : optimizers()) {
    py::list own = py::str(std::string(info.params)).attr("split")();
    for (const ParamInfo& param : kParams)
      if (param.range == Range::limit) own.append(std::string(param.name));
    params[py::str(std::string(info.name))] = own;
    slots[py::str(std::string(info.name))] = info.slots;
  }
  py::list models, deep;
  for (const std::string_view kind : kModelKinds) models.append(std::string(kind));
  for (const std::string_view kind : kDeepKinds) deep.append(std::string(kind));
  known["models"] = models;
  known["deep_models"] = deep;
  known["optimizers"] = params;
  known["slots"] = slots;
  known["losses"] = names(losses());
  known["metrics"] = names(metrics());
  return known;
}

py::list level_names() {
  py::list found;
  for (const SimdLevel level : simd_levels()) found.append(std::string(name(level)));
  return found;
}

py::dict build_info() {
  py::dict info;
#ifdef __clang__
  info["compiler"] = "Clang " __clang_version__;
#else
  info["compiler"] = "GCC " __VERSION__;
#endif
  info["cxx_standard"] = __cplusplus;
  info["flags"] = PYFM_CXX_FLAGS;
  info["build_type"] = PYFM_BUILD_TYPE;
#ifdef _OPENMP
  info["openmp"] = _OPENMP;
#else
  info["openmp"] = py::none();
#endif
  info["simd_levels"] = level_names();
  info["simd"] = std::string(name(simd_level()));
  return info;
}

void translate_os_error(const std::system_error& error) {
  py::object os_error = py::reinterpret_borrow<py::object>(PyExc_OSError);
  const py::object raised = os_error(error.code().value(), error.what());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
}

}  // namespace

void bind_library(py::module_& m) {
  py::register_exception<FormatError>(m, "FormatError", PyExc_ValueError).attr("__doc__") =
      "Input that does not follow its format. The message says where (file, and line and column of "
      "text), what was expected and what was found.";
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const OutOfMemory& e) {
      PyErr_SetString(PyExc_MemoryError, e.what());
    } catch (const std::system_error& e) {
      translate_os_error(e);
    }
  });

  m.def("catalog", &catalog);
  m.def("simd_levels", &level_names);
  m.def("simd", [] { return std::string(name(simd_level())); });
  m.def("set_simd", [](const std::string& level) { set_simd_level(level); }, py::arg("level"));
  m.def("build_info", &build_info);
  m.def("max_threads", &max_threads);
}

}  // namespace pyfm
