// SPDX-License-Identifier: Apache-2.0
#include "cli/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/machine_facts.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

std::string host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unnamed host";
}

/// "HOST, process PID, since TIME".
std::string owner() { return host() + ", process " + std::to_string(::getpid()) + ", since " + now_utc(); }

std::string read_owner(int descriptor) {
  std::array<char, 400> text{};
  const ssize_t bytes = ::pread(descriptor, text.data(), text.size(), 0);
  return bytes > 0 ? terminal_text(std::string_view(text.data(), static_cast<std::size_t>(bytes))) : "";
}

bool is_alive(int pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

/// By what it says: for file systems without locks. A process of another host counts as alive.
bool owner_is_alive(const std::string& text) {
  constexpr std::string_view kProcess = ", process ";
  const std::size_t at = text.find(kProcess);
  if (at == std::string::npos) return false;
  int pid = 0;
  std::from_chars(text.data() + at + kProcess.size(), text.data() + text.size(), pid);
  return text.substr(0, at) != host() || (pid != ::getpid() && is_alive(pid));
}

/// Whether the file is still the one that was opened: who had the lock before may have removed it.
bool is_current(int descriptor, const fs::path& file) {
  struct stat opened {
  }, there{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(file.c_str(), &there) == 0 && opened.st_ino == there.st_ino &&
         opened.st_dev == there.st_dev;
}

}  // namespace

RunLock::RunLock(fs::path file, const fs::path& made) : file_(std::move(file)) {
  while (true) {
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw IoError(file_.string() + ": cannot write: " + std::generic_category().message(errno));
    const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    const bool busy = !locked && (errno == EWOULDBLOCK || owner_is_alive(read_owner(descriptor_)));
    if (busy) {
      const std::string by = read_owner(descriptor_);
      ::close(descriptor_);
      throw UsageError("--output: expected one that nobody else is making, found " + made.string() + " in use by " +
                       (by.empty() ? "another process" : by));
    }
    if (is_current(descriptor_, file_)) break;
    ::close(descriptor_);
  }
  const std::string text = owner();
  // On a full disk the lock is without words.
  if (::ftruncate(descriptor_, 0) == 0) static_cast<void>(::pwrite(descriptor_, text.data(), text.size(), 0) < 0);
}

RunLock::~RunLock() {
  ::unlink(file_.c_str());  // first, so that nobody takes a file that is about to go
  ::close(descriptor_);
}

void remove_dead_temporaries(const fs::path& folder, const std::function<bool(const std::string&)>& is_own) {
  constexpr std::string_view kEnd = ".tmp";
  std::error_code error;
  std::vector<fs::path> dead;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();  // .NAME.PID-COUNT.tmp
    if (!name.starts_with('.') || !name.ends_with(kEnd)) continue;
    const std::size_t dot = name.rfind('.', name.size() - kEnd.size() - 1);
    if (dot == 0 || dot == std::string::npos || !is_own(name.substr(1, dot - 1))) continue;
    int pid = 0;
    const auto [end, wrong] = std::from_chars(name.data() + dot + 1, name.data() + name.size(), pid);
    if (wrong == std::errc{} && *end == '-' && pid > 0 && !is_alive(pid)) dead.push_back(entry.path());
  }
  for (const fs::path& path : dead) fs::remove(path, error);
}

}  // namespace dsasrgs::program
