#include "base/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace pyfm {

namespace {

constexpr Index kUnlimited = std::numeric_limits<Index>::max();

Index machine_memory() {
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  for (Index kilobytes; meminfo >> key >> kilobytes; meminfo.ignore(256, '\n'))
    if (key == "MemAvailable:") return kilobytes * 1024;
#ifdef _SC_PHYS_PAGES
  return Index{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
#else
  return kUnlimited;
#endif
}

// Control groups, version 2, as containers see them: "max" is not a number and means unlimited.
Index group_memory() {
  Index limit = 0, used = 0;
  if (!(std::ifstream("/sys/fs/cgroup/memory.max") >> limit)) return kUnlimited;
  if (!(std::ifstream("/sys/fs/cgroup/memory.current") >> used)) return limit;
  return std::max<Index>(limit - used, 0);
}

Index address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  Index used_pages = 0;
  std::ifstream("/proc/self/statm") >> used_pages;
  return std::max<Index>(static_cast<Index>(limit.rlim_cur) - used_pages * sysconf(_SC_PAGESIZE),
                         0);
}

}  // namespace

Index available_memory() noexcept {
  try {
    return std::min({machine_memory(), group_memory(), address_space()});
  } catch (...) {  // unreadable system files are no reason to refuse work
    return kUnlimited;
  }
}

}  // namespace pyfm
