// SPDX-License-Identifier: Apache-2.0
// A library to be preloaded (LD_PRELOAD), in which calls that write files fail. Counted are open for writing, write,
// pwrite, fsync, ftruncate, rename and mkdir, and close of what was opened for writing, of this process and not of its
// children's.
//   FAIL_AT=N       the N-th (from 1) fails; 0 or none: none does
//   FAIL_ON=1       and all that follow
//   FAIL_WITH=EIO   with this in place of ENOSPC
//   FAIL_REPORT=F   at its end the process writes to F what it counted, and the targets of renames that were done
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

/// The function that this library hides.
template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

long setting(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atol(text) : 0;
}

struct Report {
  std::atomic<long> calls{0};
  std::string renamed;
  const long at = setting("FAIL_AT");
  const bool on = setting("FAIL_ON") != 0;
  const int code =
      std::getenv("FAIL_WITH") != nullptr && std::strcmp(std::getenv("FAIL_WITH"), "EIO") == 0 ? EIO : ENOSPC;
  const std::string file = std::getenv("FAIL_REPORT") != nullptr ? std::getenv("FAIL_REPORT") : "";

  Report() { ::unsetenv("LD_PRELOAD"); }
  ~Report() {
    if (file.empty()) return;
    const int descriptor =
        next<int (*)(const char*, int, ...)>("open")(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const std::string text = std::to_string(calls) + "\n" + renamed;
    if (next<ssize_t (*)(int, const void*, std::size_t)>("write")(descriptor, text.data(), text.size()) < 0)
      std::perror("failing_writes");
    next<int (*)(int)>("close")(descriptor);
  }
};
Report& report() {
  static Report one;
  return one;
}

constexpr int kMostDescriptors = 1024;
std::array<std::atomic<bool>, kMostDescriptors> for_writing{};

bool is_watched(int descriptor) {
  return descriptor > STDERR_FILENO && descriptor < kMostDescriptors &&
         for_writing[static_cast<std::size_t>(descriptor)];
}

bool fails() {
  Report& r = report();
  const long call = ++r.calls;
  if (r.at == 0 || (r.on ? call < r.at : call != r.at)) return false;
  errno = r.code;
  return true;
}

int watched_open(const char* function, const char* path, int flags, mode_t mode) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY && std::strncmp(path, "/dev/", 5) != 0;
  if (writes && fails()) return -1;
  const int descriptor = next<int (*)(const char*, int, ...)>(function)(path, flags, mode);
  if (descriptor >= 0 && descriptor < kMostDescriptors) for_writing[static_cast<std::size_t>(descriptor)] = writes;
  return descriptor;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return watched_open("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return watched_open("open64", path, flags, mode);
}
ssize_t write(int descriptor, const void* data, std::size_t bytes) {
  if (is_watched(descriptor) && fails()) return -1;
  return next<ssize_t (*)(int, const void*, std::size_t)>("write")(descriptor, data, bytes);
}
ssize_t pwrite(int descriptor, const void* data, std::size_t bytes, off_t offset) {
  if (is_watched(descriptor) && fails()) return -1;
  return next<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite")(descriptor, data, bytes, offset);
}
int fsync(int descriptor) {
  if (is_watched(descriptor) && fails()) return -1;
  return next<int (*)(int)>("fsync")(descriptor);
}
int ftruncate(int descriptor, off_t length) {
  if (is_watched(descriptor) && fails()) return -1;
  return next<int (*)(int, off_t)>("ftruncate")(descriptor, length);
}
int rename(const char* from, const char* to) {
  if (fails()) return -1;
  const int done = next<int (*)(const char*, const char*)>("rename")(from, to);
  if (done == 0) report().renamed.append(to).append("\n");
  return done;
}
int mkdir(const char* path, mode_t mode) {
  if (fails()) return -1;
  return next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}
// As on Linux, the descriptor is gone all the same.
int close(int descriptor) {
  const bool failing = is_watched(descriptor) && fails();
  if (descriptor >= 0 && descriptor < kMostDescriptors) for_writing[static_cast<std::size_t>(descriptor)] = false;
  const int code = errno, done = next<int (*)(int)>("close")(descriptor);
  if (!failing) return done;
  errno = code;
  return -1;
}

}  // extern "C"
