#include "base/array.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"

namespace pyfm::detail {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

[[noreturn]] void fail(std::size_t bytes) {
  throw OutOfMemory("the system refused " + std::to_string(bytes) + " bytes of memory");
}

void* raw_map(std::size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return data == MAP_FAILED ? nullptr : data;
}

void advise(void* data, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= kHugePage) madvise(data, bytes, MADV_HUGEPAGE);  // advice: failing is harmless
#else
  (void)data, (void)bytes;
#endif
}

}  // namespace

// Large arrays start on a huge page: map one page more, give the ends back.
void* map_bytes(std::size_t bytes) {
  const std::size_t size = round_up(bytes, 4096);
  if (size < kHugePage) {
    void* data = raw_map(size);
    if (!data) fail(bytes);
    return data;
  }
  char* data = static_cast<char*>(raw_map(size + kHugePage));
  if (!data) fail(bytes);
  const std::size_t head =
      (kHugePage - reinterpret_cast<std::uintptr_t>(data) % kHugePage) % kHugePage;
  if (head) munmap(data, head);
  munmap(data + head + size, kHugePage - head);
  advise(data + head, size);
  return data + head;
}

void unmap_bytes(void* data, std::size_t bytes) noexcept {
  munmap(data, round_up(bytes, 4096));
}

// The pages move to a new place that starts on a huge page where the array is large.
void* remap_bytes(void* data, std::size_t old_bytes, std::size_t new_bytes) {
  void* to = map_bytes(new_bytes);
#ifdef __linux__
  const std::size_t size = round_up(new_bytes, 4096);
  if (mremap(data, round_up(old_bytes, 4096), size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
      MAP_FAILED) {
    unmap_bytes(to, new_bytes);
    fail(new_bytes);
  }
  if (size >= kHugePage) advise(to, size);
#else
  std::memcpy(to, data, old_bytes);
  unmap_bytes(data, old_bytes);
#endif
  return to;
}

}  // namespace pyfm::detail
