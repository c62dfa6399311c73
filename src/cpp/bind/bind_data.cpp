// Data sets, their augmentation, the text reader and checksums. Arrays are borrowed: a data set
// keeps its arrays alive, and the views that it hands out keep the data set alive.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "bind/bind.h"
#include "data/augmentation.h"
#include "data/dataset.h"
#include "data/text_reader.h"
#include "data/text_writer.h"

namespace pyfm {

namespace {

template <class T>
using OptionalArray = std::optional<ArrayArg<T>>;

// References to Python objects that any thread may drop, with or without the GIL.
class KeepAlive {
 public:
  KeepAlive()
      : objects_(new std::vector<py::object>, [](std::vector<py::object>* objects) {
          const py::gil_scoped_acquire held;
          delete objects;
        }) {}

  template <class T>
  std::span<const T> add(const OptionalArray<T>& array) {
    if (!array) return {};
    objects_->push_back(*array);
    return as_span(*array);
  }
  std::shared_ptr<const void> owner() const { return objects_; }

 private:
  std::shared_ptr<std::vector<py::object>> objects_;
};

Dataset make_dataset(const OptionalArray<Index>& indptr, const OptionalArray<FeatureId>& features,
                     const OptionalArray<FieldId>& fields, const OptionalArray<float>& values,
                     const OptionalArray<float>& y, const OptionalArray<float>& weight,
                     Index n_rows, Index n_features, Index n_fields) {
  KeepAlive keep;
  DatasetBuffers buffers{.indptr = keep.add(indptr),
                         .features = keep.add(features),
                         .fields = keep.add(fields),
                         .values = keep.add(values),
                         .y = keep.add(y),
                         .weight = keep.add(weight),
                         .n_rows = n_rows,
                         .n_features = n_features,
                         .n_fields = n_fields,
                         .owner = keep.owner()};
  const py::gil_scoped_release released;
  return Dataset(std::move(buffers));
}

Dataset packed(const Dataset& data) {
  const py::gil_scoped_release released;
  return data.packed();
}

// A read-only view of one buffer; None where it is implied. Entries of a selection are copied.
template <auto member, bool of_entries = true>
py::object view(const py::object& self) {
  const auto& data = self.cast<const Dataset&>();
  if (of_entries && data.is_selection()) return view<member>(py::cast(packed(data)));
  const auto& buffer = data.buffers().*member;
  using T = std::remove_cv_t<typename std::remove_cvref_t<decltype(buffer)>::element_type>;
  const bool required = std::is_same_v<T, FeatureId>;
  if (buffer.empty() && !required) return py::none();
  py::array_t<T> array(static_cast<py::ssize_t>(buffer.size()), buffer.data(), self);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

Dataset with_targets(const Dataset& data, const OptionalArray<float>& y,
                     const OptionalArray<float>& weight) {
  KeepAlive keep;
  const auto y_span = keep.add(y), weight_span = keep.add(weight);
  return data.with_targets(y_span, weight_span, keep.owner());
}

Dataset take(const Dataset& data, const ArrayArg<Index>& rows) {
  const std::span<const Index> span = as_span(rows);
  const py::gil_scoped_release released;  // the caller holds `data` and `rows`
  return data.take(span);
}

Augmentation make_augmentation(double feature_dropout, std::vector<Index> unknown,
                               double value_noise, const std::vector<FieldId>& numeric_fields,
                               bool bootstrap) {
  Augmentation a{feature_dropout, std::move(unknown), value_noise, {}, bootstrap};
  for (const FieldId f : numeric_fields) {
    if (f >= a.is_numeric.size()) a.is_numeric.resize(std::size_t{f} + 1);
    a.is_numeric[f] = true;
  }
  return a;
}

TextFormat text_format(const std::string& name) {
  if (name == "libffm") return TextFormat::libffm;
  if (name == "libsvm") return TextFormat::libsvm;
  throw std::invalid_argument("format: expected 'libffm' or 'libsvm', found '" + name + "'");
}

std::span<const std::byte> contiguous_bytes(const py::buffer_info& info) {
  if (info.ndim > 1 || (info.ndim == 1 && info.size > 0 && info.strides[0] != info.itemsize))
    throw std::invalid_argument("block: expected contiguous bytes");
  return {static_cast<const std::byte*>(info.ptr),
          static_cast<std::size_t>(info.size * info.itemsize)};
}

void feed(TextReader& reader, const py::buffer& block) {
  const py::buffer_info info = block.request();
  const std::span<const std::byte> bytes = contiguous_bytes(info);
  const py::gil_scoped_release released;
  reader.feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::uint64_t checksum_of(const py::buffer& block) {
  const py::buffer_info info = block.request();
  const std::span<const std::byte> bytes = contiguous_bytes(info);
  const py::gil_scoped_release released;
  return checksum(bytes);
}

void read_file(TextReader& reader, const std::string& path) {
  try {
    const py::gil_scoped_release released;
    reader.read_file(path, [] {
      const py::gil_scoped_acquire held;
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    });
  } catch (const std::system_error& error) {  // OSError with the file name as Python's own
    errno = error.code().value();
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
    throw py::error_already_set();
  }
}

}  // namespace

void bind_data(py::module_& m) {
  py::class_<Dataset>(m, "Dataset")
      .def(py::init(&make_dataset), py::kw_only(), py::arg("indptr").noconvert(),
           py::arg("features").noconvert(), py::arg("fields").noconvert(),
           py::arg("values").noconvert(), py::arg("y").noconvert(), py::arg("weight").noconvert(),
           py::arg("n_rows"), py::arg("n_features"), py::arg("n_fields"))
      .def_property_readonly("n_rows", &Dataset::n_rows)
      .def_property_readonly("n_features", &Dataset::n_features)
      .def_property_readonly("n_fields", &Dataset::n_fields)
      .def_property_readonly("nnz", &Dataset::nnz)
      .def_property_readonly("nbytes", &Dataset::nbytes)
      .def_property_readonly("layout", &Dataset::layout)
      .def_property_readonly("indptr", &view<&DatasetBuffers::indptr>)
      .def_property_readonly("features", &view<&DatasetBuffers::features>)
      .def_property_readonly("fields", &view<&DatasetBuffers::fields>)
      .def_property_readonly("values", &view<&DatasetBuffers::values>)
      .def_property_readonly("y", &view<&DatasetBuffers::y, false>)
      .def_property_readonly("weight", &view<&DatasetBuffers::weight, false>)
      .def_property_readonly("is_selection", &Dataset::is_selection)
      .def("slice", &Dataset::slice, py::arg("start"), py::arg("stop"))
      .def("take", &take, py::arg("rows").noconvert())
      .def("packed", &packed)
      .def("with_targets", &with_targets, py::arg("y").noconvert(), py::arg("weight").noconvert());

  py::class_<Augmentation>(m, "Augmentation")
      .def(py::init(&make_augmentation), py::kw_only(), py::arg("feature_dropout"),
           py::arg("unknown"), py::arg("value_noise"), py::arg("numeric_fields"),
           py::arg("bootstrap"))
      .def("check", &check_augmentation, py::arg("data"), py::kw_only(), py::arg("n_features"),
           py::arg("n_fields"));

  py::class_<TextReader>(m, "TextReader")
      .def(py::init([](std::string name, const std::string& format, int n_threads) {
             return std::make_unique<TextReader>(std::move(name), text_format(format), n_threads);
           }),
           py::kw_only(), py::arg("name"), py::arg("format"), py::arg("n_threads"))
      .def("feed", &feed, py::arg("block"))
      .def("read_file", &read_file, py::arg("path"))
      .def("finish", &TextReader::finish, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("n_rows", &TextReader::n_rows)
      .def_property_readonly("n_lines", &TextReader::n_lines)
      .def_property_readonly("n_pending", &TextReader::n_pending)
      .def("skip_lines", &TextReader::skip_lines, py::arg("n"))
      .def("end_text", &TextReader::end_text, py::call_guard<py::gil_scoped_release>())
      .def("take", &TextReader::take, py::call_guard<py::gil_scoped_release>());

  py::class_<Checksum>(m, "Checksum")
      .def(py::init<>())
      .def(
          "add",
          [](Checksum& sum, const py::buffer& block) {
            const py::buffer_info info = block.request();
            const std::span<const std::byte> bytes = contiguous_bytes(info);
            const py::gil_scoped_release released;
            sum.add(bytes);
          },
          py::arg("block"))
      .def_property_readonly("value", &Checksum::value);
  m.def(
      "format_rows",
      [](const Dataset& data, const std::string& format) {
        const TextFormat text = text_format(format);
        std::string lines;
        {
          const py::gil_scoped_release released;
          lines = format_rows(data, text);
        }
        return py::bytes(lines);
      },
      py::arg("data"), py::arg("format"));
  m.def("checksum", &checksum_of, py::arg("block"));
}

}  // namespace pyfm
