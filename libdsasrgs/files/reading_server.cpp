// SPDX-License-Identifier: Apache-2.0
#include "files/reading_server.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <new>

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

/// Whether an allocation failed since the answer was begun: libraries may say something else of it, or end the process.
std::atomic<bool> ran_out{false};
/// Whether the limit on the address space that this process was started with is lower than what it would set itself.
std::atomic<bool> limited_from_outside{false};

[[noreturn]] void note_no_memory() {
  ran_out = true;
  throw std::bad_alloc();
}

std::string out_of_memory_in_words() {
  return limited_from_outside ? "less memory than reading takes: the limit on the address space (ulimit -v) is that low"
                              : "more memory than its size can need";
}

/// A library that lets std::bad_alloc out of where it must not ends the process so.
[[noreturn]] void say_no_memory_and_end() {
  if (!ran_out) std::abort();
  send_refusal({ReadingRefusal::Kind::out_of_memory, "file", "", out_of_memory_in_words()});
  ::_exit(0);
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
  std::set_new_handler(note_no_memory);
  std::set_terminate(say_no_memory_and_end);
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
  static const rlim_t from_outside = [] {
    rlimit first{};
    return ::getrlimit(RLIMIT_AS, &first) == 0 ? first.rlim_cur : RLIM_INFINITY;
  }();
  const std::size_t bound = at_first + kSpareBytes;
  const rlim_t wanted = bytes > std::numeric_limits<rlim_t>::max() - bound ? RLIM_INFINITY : bound + bytes;
  limited_from_outside = from_outside < wanted;
  limit_resource(RLIMIT_AS, std::min(wanted, from_outside));
#endif
}

void limit_descriptors(int more) { limit_resource(RLIMIT_NOFILE, rlim_t{kServedFile} + 1 + static_cast<rlim_t>(more)); }

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
  const auto send_without_memory = [&] { send_refusal({Kind::out_of_memory, field, "", out_of_memory_in_words()}); };
  ran_out = false;
  try {
    answer();
  } catch (const ReadingRefusal& refusal) {
    if (refusal.kind == Kind::bad_input && ran_out) return send_without_memory();
    send_refusal(refusal);
  } catch (const BadInput& error) {
    if (ran_out) return send_without_memory();
    send_refusal(parts_of(error, name));
  } catch (const IoError& error) {
    const std::string message = error.what(), before = name + ": cannot read: ";
    send_refusal({Kind::io, "", "", message.starts_with(before) ? message.substr(before.size()) : message});
  } catch (const std::exception&) {  // OutOfMemory, std::bad_alloc, and std::length_error before it
    send_without_memory();
  }
}

}  // namespace dsasrgs
