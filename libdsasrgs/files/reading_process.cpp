// SPDX-License-Identifier: Apache-2.0
#include "files/reading_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <new>
#include <system_error>
#include <utility>

#include "dsasrgs/error.hpp"
#include "files/reading_messages.hpp"

namespace dsasrgs {

namespace {

using std::chrono::milliseconds, std::chrono::steady_clock;

constexpr milliseconds kLook{50};  // between looks at the processor time

[[noreturn]] void throw_start_error(const std::string& name, const std::string& program, int code) {
  throw IoError(name + ": cannot start " + program +
                ", which reads files for this program: " + std::generic_category().message(code));
}

/// Closes itself.
struct Descriptor {
  int number = -1;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

/// A copy above those that the child has, so that none is put where another was.
int high_copy(int descriptor) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
  if (copy < 0 && errno == EINVAL) errno = EMFILE;  // the limit on descriptors is that low
  return copy;
}

/// What posix_spawn is told. Its functions fail for want of memory only.
class SpawnPlan {
 public:
  SpawnPlan(int socket, int file) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    int failed = 0;
    for (const int standard : {0, 1, 2})
      failed |= ::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", O_RDWR, 0);
    failed |= ::posix_spawn_file_actions_adddup2(&actions_, socket, kServedSocket);
    failed |= ::posix_spawn_file_actions_adddup2(&actions_, file, kServedFile);
    // In a group of its own a Ctrl-C meant for this program does not end it in the middle of an answer.
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU}) sigaddset(&signals, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    if (failed != 0) throw std::bad_alloc();
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// No library ends its own process so: a user, a terminal that is gone or a machine short of memory does.
bool is_from_outside(int signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

}  // namespace

ReadingProcess::ReadingProcess(const std::vector<std::string>& command, int file, const std::string& name,
                               std::string library)
    : library_(std::move(library)) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_start_error(name, command[0], errno);
  socket_ = ends[0];
  const Descriptor other{ends[1]}, high_socket{high_copy(ends[1])}, high_file{high_copy(file)};
  int code = high_socket.number < 0 || high_file.number < 0 ? EMFILE : 0;
  if (code == 0) {
    const SpawnPlan plan(high_socket.number, high_file.number);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    code = ::posix_spawnp(&process_, arguments[0], plan.actions(), plan.attributes(), arguments.data(), environ);
  }
  if (code != 0) {
    ::close(socket_);
    throw_start_error(name, command[0], code);
  }
}

ReadingProcess::~ReadingProcess() {
  if (end_.empty()) end_ = "no need of it";
  end();
  ::close(socket_);
}

std::chrono::nanoseconds ReadingProcess::used() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void ReadingProcess::allow(milliseconds processor_time) { allowed_ = used() + processor_time; }

bool ReadingProcess::send(const void* data, std::size_t bytes) {
  if (end_.empty() && send_all(socket_, data, bytes)) return true;
  end();
  return false;
}

/// Until there is something to read, or the other end is gone.
bool ReadingProcess::wait_for_bytes(steady_clock::time_point until) {
  for (;;) {
    pollfd socket{socket_, POLLIN, 0};
    const int ready = ::poll(&socket, 1, static_cast<int>(kLook.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (steady_clock::now() > until) {
      end_ = "silence of the process that reads it";
      return false;
    }
    if (used() > allowed_) {
      end_ = "an endless loop of " + library_;
      return false;
    }
  }
}

bool ReadingProcess::receive(void* data, std::size_t bytes, milliseconds wait) {
  char* next = static_cast<char*>(data);
  while (bytes > 0 && end_.empty()) {
    if (!wait_for_bytes(steady_clock::now() + wait)) break;
    const ssize_t received = ::recv(socket_, next, bytes, MSG_DONTWAIT);
    if (received < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (received <= 0) break;
    next += received;
    bytes -= static_cast<std::size_t>(received);
  }
  if (bytes == 0) return true;
  end();
  return false;
}

const std::string& ReadingProcess::end() {
  if (process_ < 0) return end_;
  const pid_t process = process_;
  process_ = -1;
  // It has a moment to end by itself: a crash closes the socket before it can be waited for.
  ::shutdown(socket_, SHUT_RDWR);
  int status = 0;
  pid_t ended = 0;
  const auto last = steady_clock::now() + milliseconds(end_.empty() ? 2000 : 0);
  while ((ended = ::waitpid(process, &status, WNOHANG)) == 0 && steady_clock::now() < last) ::poll(nullptr, 0, 1);
  if (ended == 0) {  // still ours, so that the number is no other process's
    ::kill(process, SIGKILL);
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (!end_.empty()) return end_;
  killed_ = ended > 0 && WIFSIGNALED(status) && is_from_outside(WTERMSIG(status));
  crashed_ = !killed_;
  if (killed_)
    end_ = std::string("the process that reads it was killed (") + ::strsignal(WTERMSIG(status)) + ")";
  else if (ended > 0 && WIFSIGNALED(status))
    end_ = "a crash of " + library_ + " (" + ::strsignal(WTERMSIG(status)) + ")";
  else if (ended > 0 && WEXITSTATUS(status) != 0)
    end_ = "an end of the process that reads it with code " + std::to_string(WEXITSTATUS(status));
  else
    end_ = "an end of the process that reads it";
  return end_;
}

}  // namespace dsasrgs
