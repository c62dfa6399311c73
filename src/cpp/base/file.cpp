#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pyfm {

namespace {

constexpr Index kPage = 65536;  // a multiple of every page size in use
// Pages are given back in steps, since every step is a system call.
constexpr Index kReleaseStep = Index{8} << 20;

[[noreturn]] void fail(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), path);
}

}  // namespace

File::File(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(errno, path);
  struct stat status;
  int error = ::fstat(descriptor_, &status) == 0 ? 0 : errno;
  if (!error && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error) {
    ::close(descriptor_);
    fail(error, path);
  }
  if (S_ISREG(status.st_mode)) size_ = status.st_size;
}

File::~File() {
  ::close(descriptor_);
}

Index File::read(char* to, Index bytes) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, to, static_cast<std::size_t>(bytes));
    if (got >= 0) return got;
    if (errno != EINTR) fail(errno, path_);
  }
}

// The file is laid over an anonymous mapping that is longer, so that what follows the last byte
// is always readable and zero, also when the file ends exactly with a page.
MappedFile::MappedFile(const File& file) : size_(file.size()) {
  mapped_ = (size_ + kPage - 1) / kPage * kPage + kPadding;
  void* data = ::mmap(nullptr, static_cast<std::size_t>(mapped_), PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail(errno, file.path());
  data_ = static_cast<char*>(data);
  if (size_ == 0) return;
  if (::mmap(data, static_cast<std::size_t>(size_), PROT_READ, MAP_PRIVATE | MAP_FIXED,
             file.descriptor(), 0) == MAP_FAILED) {
    const int error = errno;
    ::munmap(data, static_cast<std::size_t>(mapped_));
    fail(error, file.path());
  }
  ::madvise(data, static_cast<std::size_t>(size_), MADV_SEQUENTIAL);  // advice: may fail
}

MappedFile::~MappedFile() {
  ::munmap(data_, static_cast<std::size_t>(mapped_));
}

void MappedFile::release(Index bytes) noexcept {
  const Index end = bytes / kPage * kPage;
  if (end - released_ < kReleaseStep) return;
  ::madvise(data_ + released_, static_cast<std::size_t>(end - released_), MADV_DONTNEED);
  released_ = end;
}

}  // namespace pyfm
