// SPDX-License-Identifier: Apache-2.0
// The child that reads HDF5, asked whatever: the input are questions about a small acquisition. It serves in this
// process: its end is an exception, and it keeps its limits and this process's files (--wrap, CMakeLists.txt).
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "dsasrgs/file_reading.hpp"
#include "dsasrgs/io.hpp"
#include "files/hdf5_messages.hpp"
#include "harness.hpp"
#include "support/small_acquisition.hpp"

using namespace dsasrgs;

namespace {

struct End {
  int code;
};
bool serving = false;

/// Nothing else may get the child's two descriptors.
[[maybe_unused]] const int kept = [] {
  for (int descriptor = kServedSocket; descriptor <= kServedFile; ++descriptor)
    ::dup2(::open("/dev/null", O_RDWR), descriptor);
  return 0;
}();

}  // namespace

extern "C" {
void __real__exit(int code) __attribute__((noreturn));
int __real_setrlimit(__rlimit_resource_t, const rlimit*);
void __real_closefrom(int);
void __wrap__exit(int code);
void __wrap__exit(int code) {
  if (serving) throw End{code};
  __real__exit(code);
}
int __wrap_setrlimit(__rlimit_resource_t resource, const rlimit* limit);
int __wrap_setrlimit(__rlimit_resource_t resource, const rlimit* limit) {
  return serving ? 0 : __real_setrlimit(resource, limit);
}
void __wrap_closefrom(int first);
void __wrap_closefrom(int first) {
  if (!serving) __real_closefrom(first);
}
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kFitsSocket = 1 << 16;
  static const int file = [] {
    write_acquisition(fuzz::folder() / "served.h5", test::small_acquisition());
    return ::open((fuzz::folder() / "served.h5").c_str(), O_RDONLY);
  }();
  int ends[2];
  // What answers do not fit is lost; nothing is waited for.
  fuzz::require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "no sockets");
  ::dup2(ends[1], kServedSocket);
  ::close(ends[1]);
  ::dup2(file, kServedFile);
  send_all(ends[0], data, std::min(size, kFitsSocket));
  ::shutdown(ends[0], SHUT_WR);
  fuzz::read([] {
    serving = true;
    try {
      serve_file_reading();
      fuzz::require(false, "the child goes on without questions");
    } catch (const End& end) {
      fuzz::require(end.code == 0 || end.code == 2, "the child ends with another code");
    }
    serving = false;
  });
  ::close(ends[0]);
  return 0;
}
