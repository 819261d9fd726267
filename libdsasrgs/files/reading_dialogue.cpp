// SPDX-License-Identifier: Apache-2.0
#include "files/reading_dialogue.hpp"

#include <sys/resource.h>

#include <utility>

#include "dsasrgs/error.hpp"
#include "files/reading_messages.hpp"

namespace dsasrgs {

namespace {

using std::chrono::milliseconds;

/// What a question may cost: see dsasrgs/file_reading.hpp.
milliseconds processor_time(std::size_t file_bytes, std::size_t bytes) {
  constexpr std::size_t kFilePerMs = 200'000, kAskedPerMs = 20'000;
  return milliseconds(2000 + file_bytes / kFilePerMs + bytes / kAskedPerMs);
}

/// What to add to an end that want of memory may have led to, for libraries written in C do not look at every
/// allocation; empty where this process, and so the one that reads, may have as much as such a file needs.
std::string perhaps_no_memory(std::size_t file_bytes) {
  constexpr std::size_t kAmple = std::size_t{2} << 30, kAmplePerByte = 64, kMebibyte = std::size_t{1} << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      limit.rlim_cur / kAmplePerByte > kAmple / kAmplePerByte + file_bytes)
    return {};
  return ", perhaps for want of memory: the limit on the address space (ulimit -v) is " +
         std::to_string(limit.rlim_cur / kMebibyte) + " MiB";
}

constexpr milliseconds kStart{20'000};     // of a process, on a machine that is busy
constexpr milliseconds kSilence{600'000};  // of a disk that is slow; longer, and it is the process that sleeps

}  // namespace

ReadingDialogue::ReadingDialogue(const std::vector<std::string>& command, const InputFile& file,
                                 const std::string& name, FileKind kind)
    : file_bytes_(file.size()), kind_(std::move(kind)), process_(command, file.descriptor(), name, kind_.library) {
  std::string greeting(kGreeting.size(), '\0');
  process_.allow(kStart);
  if (!process_.receive(greeting.data(), greeting.size(), kStart) || greeting != kGreeting)
    throw IoError(name + ": cannot read: expected " + command[0] + " to read files for this program, found " +
                  (greeting[0] == '\0' ? process_.end() + perhaps_no_memory(file_bytes_)
                                       : std::string("another program or version")));
}

void ReadingDialogue::ask(std::string_view message, std::string field, std::size_t bytes) {
  field_ = std::move(field);
  allow(bytes);
  if (!process_.send(message.data(), message.size())) fail_of_end();
}

void ReadingDialogue::allow(std::size_t bytes) { process_.allow(processor_time(file_bytes_, bytes)); }

std::string ReadingDialogue::answer(std::size_t most) {
  std::string answer(receive_head(most), '\0');
  receive(answer.data(), answer.size());
  return answer;
}

void ReadingDialogue::read_values(std::span<std::byte> to) {
  while (!to.empty()) {
    const std::size_t bytes = receive_head(to.size());
    if (bytes == 0) fail("an answer that is none");
    receive(to.data(), bytes);
    to = to.subspan(bytes);
  }
}

std::size_t ReadingDialogue::receive_head(std::size_t most) {
  Answer answer;
  receive(&answer, sizeof answer);
  if (answer.kind == Answer::Kind::answer && answer.bytes <= most) return answer.bytes;
  if (answer.kind != Answer::Kind::refusal || answer.bytes > kMaxFactsBytes) fail("an answer that is none");
  std::string message(answer.bytes, '\0');
  receive(message.data(), message.size());
  ReadingRefusal refusal;
  if (!from_message(message, refusal)) fail("an answer that is none");
  throw refusal;
}

void ReadingDialogue::receive(void* to, std::size_t bytes) {
  if (!process_.receive(to, bytes, kSilence)) fail_of_end();
}

void ReadingDialogue::fail_of_end() {
  const std::string& found = process_.end();
  if (process_.was_killed()) throw ReadingRefusal{ReadingRefusal::Kind::io, field_, "", found};
  if (const std::string why = perhaps_no_memory(file_bytes_); process_.has_crashed() && !why.empty())
    throw ReadingRefusal{ReadingRefusal::Kind::out_of_memory, field_, "", found + why};
  fail(found);
}

void ReadingDialogue::fail(const std::string& found) const {
  throw ReadingRefusal{ReadingRefusal::Kind::bad_input, field_, kind_.file + " that can be read",
                       "damage that leads to " + found};
}

}  // namespace dsasrgs
