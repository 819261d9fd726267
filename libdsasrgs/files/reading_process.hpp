// SPDX-License-Identifier: Apache-2.0
#pragma once
// A child process at the other end of a socket, watched.

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace dsasrgs {

class ReadingProcess {
 public:
  /// Starts `command` with the socket as descriptor 3, `file` as 4 and nothing else open but /dev/null as 0 to 2.
  /// Throws IoError naming `name`, the file's, where it cannot be. `library` is what the child reads with, for
  /// messages: "the HDF5 library".
  ReadingProcess(const std::vector<std::string>& command, int file, const std::string& name, std::string library);
  /// Ends it.
  ~ReadingProcess();
  ReadingProcess(const ReadingProcess&) = delete;
  ReadingProcess& operator=(const ReadingProcess&) = delete;

  /// From now on it may use so much processor time until `receive` fails.
  void allow(std::chrono::milliseconds processor_time);
  bool send(const void* data, std::size_t bytes);
  /// Whether all bytes came, each at most `wait` after the one before. Where they did not, the process is ended; then
  /// `end()` says how it was.
  bool receive(void* data, std::size_t bytes, std::chrono::milliseconds wait);
  /// "a crash of the HDF5 library (Segmentation fault)", "…"; ends the process if it goes on.
  const std::string& end();
  /// After end(): whether somebody else ended it, which says nothing about the file.
  bool was_killed() const { return killed_; }
  /// After end(): whether it crashed, or ended before its time.
  bool has_crashed() const { return crashed_; }

 private:
  /// Processor time it has used so far.
  std::chrono::nanoseconds used() const;
  bool wait_for_bytes(std::chrono::steady_clock::time_point until);

  std::string library_;
  pid_t process_ = -1;
  int socket_ = -1;
  std::chrono::nanoseconds allowed_{0};
  std::string end_;
  bool killed_ = false, crashed_ = false;
};

}  // namespace dsasrgs
