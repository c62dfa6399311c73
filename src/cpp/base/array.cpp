#include "base/array.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"

namespace pyfm::detail {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Arrays begin so far behind the beginning of their pages. Predictions read the first half of rows,
// and of rows of 128 or 512 bytes in a table that begins with a page that is never the sixth of the
// eight lines in 512 bytes. A processor of Zen 4 then takes up to six times as long for lines that
// were fetched in time; why is not known (docs/performance.md).
constexpr std::size_t kLead = 320;

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

char* page_of(void* data) {
  return static_cast<char*>(data) - kLead;
}
std::size_t pages_for(std::size_t bytes) {
  return round_up(kLead + bytes, 4096);
}

void advise(void* data, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= kHugePage) madvise(data, bytes, MADV_HUGEPAGE);  // advice: failing is harmless
#else
  (void)data, (void)bytes;
#endif
}

}  // namespace

// The pages of large arrays start on a huge page: map one page more, give the ends back.
void* map_bytes(std::size_t bytes) {
  const std::size_t size = pages_for(bytes);
  if (size < kHugePage) {
    char* data = static_cast<char*>(raw_map(size));
    if (!data) fail(bytes);
    return data + kLead;
  }
  char* data = static_cast<char*>(raw_map(size + kHugePage));
  if (!data) fail(bytes);
  const std::size_t head =
      (kHugePage - reinterpret_cast<std::uintptr_t>(data) % kHugePage) % kHugePage;
  if (head) munmap(data, head);
  munmap(data + head + size, kHugePage - head);
  advise(data + head, size);
  return data + head + kLead;
}

void unmap_bytes(void* data, std::size_t bytes) noexcept {
  munmap(page_of(data), pages_for(bytes));
}

// The pages move to a new place, which starts on a huge page where the array is large.
void* remap_bytes(void* data, std::size_t old_bytes, std::size_t new_bytes) {
  void* to = map_bytes(new_bytes);
#ifdef __linux__
  const std::size_t size = pages_for(new_bytes);
  if (mremap(page_of(data), pages_for(old_bytes), size, MREMAP_MAYMOVE | MREMAP_FIXED,
             page_of(to)) == MAP_FAILED) {
    unmap_bytes(to, new_bytes);
    fail(new_bytes);
  }
  if (size >= kHugePage) advise(page_of(to), size);
#else
  std::memcpy(to, data, old_bytes);
  unmap_bytes(data, old_bytes);
#endif
  return to;
}

}  // namespace pyfm::detail
