// Exceptions of the core. The binding maps each to one Python exception:
// std::invalid_argument -> ValueError, FormatError -> pyfm.FormatError,
// OutOfMemory -> MemoryError, std::system_error -> OSError.
#pragma once
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/types.h"

namespace pyfm {

// Input text that does not follow its format. The message starts with "file:line:column: ".
class FormatError : public std::runtime_error {
 public:
  FormatError(const std::string& file, Index line, Index column, const std::string& what)
      : std::runtime_error(file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                           what) {}
};

// Memory that the machine does not have, found out before it is asked for.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace pyfm
