// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include "dsasrgs/memory_need.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();

/// The number that follows `name` in a file of the kernel's, times `unit`; kUnknown where there is none.
std::size_t number_after(const std::string& file, const std::string& name, std::size_t unit) {
  std::ifstream in(file);
  for (std::string word; in >> word;)
    if (std::size_t value = 0; word == name && in >> value) return value * unit;
  return kUnknown;
}

/// A file that holds a number and nothing else; kUnknown where there is none, or "max".
std::size_t number_in(const std::string& file) {
  std::size_t value = 0;
  return std::ifstream(file) >> value ? value : kUnknown;
}

/// What is left of `limit` where `used` is used.
std::size_t left(std::size_t limit, std::size_t used) {
  if (limit == kUnknown || used == kUnknown) return kUnknown;
  return limit - std::min(limit, used);
}

/// The path of the process in a hierarchy of control groups: "0::/…" (version 2) or "N:memory:/…" (version 1).
std::string control_group(const std::string& mark) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);)
    if (const auto at = line.find(mark); at != std::string::npos) return line.substr(at + mark.size());
  return "";
}

/// The least that a group or one it lies in leaves. What files have cached there is given up when it is asked for.
std::size_t left_in_groups(const std::string& root, std::string path, const char* limit, const char* used,
                           const char* cached) {
  std::size_t least = kUnknown;
  while (true) {
    const std::string folder = root + path + "/";
    const std::size_t cache = number_after(folder + "memory.stat", cached, 1);
    const std::size_t held = number_in(folder + used);
    least = std::min(least, left(number_in(folder + limit), left(held, cache == kUnknown ? 0 : cache)));
    if (path.empty() || path == "/") return least;
    path.erase(path.rfind('/'));
  }
}

std::size_t left_of_limit(int resource, const char* used) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnknown;
  return left(limit.rlim_cur, number_after("/proc/self/status", used, 1024));
}

}  // namespace

MemoryAmount available_memory(const Context& ctx) {
  const std::string root = "/sys/fs/cgroup";
  return {std::min({number_after("/proc/meminfo", "MemAvailable:", 1024), left_of_limit(RLIMIT_AS, "VmSize:"),
                    left_of_limit(RLIMIT_DATA, "VmData:"),
                    left_in_groups(root, control_group("0::"), "memory.max", "memory.current", "inactive_file"),
                    left_in_groups(root + "/memory", control_group(":memory:"), "memory.limit_in_bytes",
                                   "memory.usage_in_bytes", "total_inactive_file")}),
          ctx.free_device_memory()};
}

std::size_t resident_memory() {
  const std::size_t held = number_after("/proc/self/status", "VmRSS:", 1024);
  return held == kUnknown ? 0 : held;
}

}  // namespace dsasrgs
