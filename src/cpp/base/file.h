// Files to read: opened, streamed, or mapped. Failures are std::system_error with the path.
#pragma once
#include <string>
#include <string_view>

#include "base/types.h"

namespace pyfm {

class File {
 public:
  explicit File(const std::string& path);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  const std::string& path() const noexcept { return path_; }
  int descriptor() const noexcept { return descriptor_; }
  // Bytes of a regular file; 0 for pipes, terminals and the like, which can only be streamed.
  Index size() const noexcept { return size_; }
  // Fills `to` with up to `bytes` bytes; 0 only at the end.
  Index read(char* to, Index bytes);

 private:
  std::string path_;
  int descriptor_ = -1;
  Index size_ = 0;
};

// The contents of a regular file, followed by at least kPadding readable zero bytes. The file must
// not be truncated meanwhile: the system answers a look at bytes that are gone with SIGBUS.
class MappedFile {
 public:
  static constexpr Index kPadding = 4096;

  explicit MappedFile(const File& file);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::string_view text() const noexcept { return {data_, static_cast<std::size_t>(size_)}; }
  // The first `bytes` bytes are done with: their pages stop counting against this process.
  void release(Index bytes) noexcept;

 private:
  char* data_ = nullptr;
  Index size_ = 0;
  Index mapped_ = 0;
  Index released_ = 0;
};

}  // namespace pyfm
