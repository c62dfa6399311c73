// Look-up by name in a list of named things; the error lists what there is.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace pyfm {

template <class List>
const auto& find_named(const List& list, std::string_view what, std::string_view name) {
  std::string known;
  for (const auto& item : list) {
    if (item.name == name) return item;
    known += (known.empty() ? "'" : ", '") + std::string(item.name) + "'";
  }
  throw std::invalid_argument(std::string(what) + ": expected one of " + known + ", found '" +
                              std::string(name) + "'");
}

}  // namespace pyfm
