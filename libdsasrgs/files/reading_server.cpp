// SPDX-License-Identifier: Apache-2.0
#include "files/reading_server.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

void limit_resource(int resource, rlim_t soft) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &now);
  now.rlim_cur = std::min(soft, now.rlim_max);
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &now);
}

[[maybe_unused]] std::size_t address_space() {  // not under AddressSanitizer
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// The parts of a message of BadInput about the file `name`.
ReadingRefusal parts_of(const BadInput& error, const std::string& name) {
  const std::string_view message = error.what(), expected = ": expected ", found = ", found ";
  const std::size_t field = name.size() + 2, first = message.find(expected, std::min(field, message.size())),
                    second = message.find(found, first == std::string_view::npos ? message.size() : first);
  if (!message.starts_with(name + ": ") || second == std::string_view::npos)
    return {ReadingRefusal::Kind::bad_input, "file", "a file that can be read", std::string(message)};
  const std::size_t from = first + expected.size();
  return {ReadingRefusal::Kind::bad_input, std::string(message.substr(field, first - field)),
          std::string(message.substr(from, second - from)), std::string(message.substr(second + found.size()))};
}

}  // namespace

bool begin_serving(ServedFile& served) {
  struct stat socket {
  }, file{};
  if (::fstat(kServedSocket, &socket) != 0 || !S_ISSOCK(socket.st_mode) || ::fstat(kServedFile, &file) != 0)
    return false;
  ::closefrom(kServedFile + 1);    // what the application left open
  limit_resource(RLIMIT_CORE, 1);  // no core: 0 still feeds a program that collects them
  limit_resource(RLIMIT_FSIZE, 0);
  served.path = "/proc/self/fd/" + std::to_string(kServedFile);
  served.bytes = static_cast<std::size_t>(file.st_size);
  return send_all(kServedSocket, kGreeting.data(), kGreeting.size());
}

void limit_memory([[maybe_unused]] std::size_t bytes) {
#ifndef __SANITIZE_ADDRESS__  // whose own memory is in the terabytes
  constexpr std::size_t kSpareBytes = std::size_t{192} << 20;
  static const std::size_t at_first = address_space();
  const std::size_t bound = at_first + kSpareBytes;
  limit_resource(RLIMIT_AS, bytes > std::numeric_limits<rlim_t>::max() - bound ? RLIM_INFINITY : bound + bytes);
#endif
}

void limit_descriptors(int more) { limit_resource(RLIMIT_NOFILE, static_cast<rlim_t>(kServedFile + 1 + more)); }

void limit_processor_time(std::size_t seconds) {
  constexpr rlim_t kMinute = 60;
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  limit_resource(RLIMIT_CPU, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + kMinute + seconds);
}

void send_answer(Answer::Kind kind, const void* bytes, std::size_t size) {
  const Answer head{kind, 0, size};
  if (send_all(kServedSocket, &head, sizeof head)) send_all(kServedSocket, bytes, size);
}

void send_refusal(const ReadingRefusal& refusal) {
  const std::string message = to_message(refusal);
  send_answer(Answer::Kind::refusal, message.data(), message.size());
}

void answer_or_refuse(const std::string& name, const std::string& field, const std::function<void()>& answer) {
  using Kind = ReadingRefusal::Kind;
  try {
    answer();
  } catch (const ReadingRefusal& refusal) {
    send_refusal(refusal);
  } catch (const BadInput& error) {
    send_refusal(parts_of(error, name));
  } catch (const IoError& error) {
    const std::string message = error.what(), before = name + ": cannot read: ";
    send_refusal({Kind::io, "", "", message.starts_with(before) ? message.substr(before.size()) : message});
  } catch (const std::exception&) {  // OutOfMemory, std::bad_alloc, and std::length_error before it
    send_refusal({Kind::out_of_memory, field, "", "more memory than its size can need"});
  }
}

}  // namespace dsasrgs
