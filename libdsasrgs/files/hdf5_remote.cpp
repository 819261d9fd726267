// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_remote.hpp"

#include <utility>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

using std::chrono::milliseconds;

/// What a question may cost: see dsasrgs/hdf5_reading.hpp.
milliseconds processor_time(std::size_t file_bytes, std::size_t bytes) {
  constexpr std::size_t kFilePerMs = 200'000, kAskedPerMs = 20'000;
  return milliseconds(2000 + file_bytes / kFilePerMs + bytes / kAskedPerMs);
}

constexpr milliseconds kStart{20'000};     // of a process, on a machine that is busy
constexpr milliseconds kSilence{600'000};  // of a disk that is slow; longer, and it is the process that sleeps

}  // namespace

RemoteHdf5::RemoteHdf5(const std::vector<std::string>& command, const InputFile& file, const std::string& name)
    : file_bytes_(file.size()), field_("file"), process_(command, file.descriptor(), name) {
  std::string greeting(kGreeting.size(), '\0');
  process_.allow(kStart);
  if (!process_.receive(greeting.data(), greeting.size(), kStart) || greeting != kGreeting)
    throw IoError(name + ": cannot read: expected " + command[0] + " to read HDF5 files for this program, found " +
                  (greeting[0] == '\0' ? process_.end() : "another program or version"));
  ask(Question::open, "file", "", 0);
}

bool RemoteHdf5::has(const std::string& object) {
  const std::lock_guard lock(one_at_a_time_);
  return ask(Question::has, object, "", 1) == "y";
}

bool RemoteHdf5::has_attribute(const std::string& object, const std::string& attribute) {
  const std::lock_guard lock(one_at_a_time_);
  return ask(Question::has_attribute, object, attribute, 1) == "y";
}

StoredArray RemoteHdf5::dataset(const std::string& dataset) {
  const std::lock_guard lock(one_at_a_time_);
  if (const auto known = datasets_.find(dataset); known != datasets_.end()) return known->second;
  StoredArray array;
  if (!from_message(ask(Question::dataset, dataset, "", kMaxFactsBytes), array)) fail("an answer that is none");
  return datasets_.emplace(dataset, std::move(array)).first->second;
}

StoredArray RemoteHdf5::attribute(const std::string& object, const std::string& attribute) {
  const std::lock_guard lock(one_at_a_time_);
  StoredArray array;
  if (!from_message(ask(Question::attribute, object, attribute, kMaxFactsBytes), array)) fail("an answer that is none");
  return array;
}

void RemoteHdf5::read_rows(const std::string& dataset, std::size_t first, std::size_t count, ElementType number,
                           std::span<std::byte> to) {
  const std::lock_guard lock(one_at_a_time_);
  read_values({Question::rows, number, 0, 0, first, count}, dataset, "", to);
}

void RemoteHdf5::read_attribute(const std::string& object, const std::string& attribute, ElementType number,
                                std::span<std::byte> to) {
  const std::lock_guard lock(one_at_a_time_);
  read_values({Question::attribute_values, number, 0, 0, 0, to.size()}, object, attribute, to);
}

std::string RemoteHdf5::read_string(const std::string& object, const std::string& attribute) {
  const std::lock_guard lock(one_at_a_time_);
  return ask(Question::text, object, attribute, file_bytes_);
}

void RemoteHdf5::read_values(const Request& request, const std::string& object, const std::string& attribute,
                             std::span<std::byte> to) {
  send(request, object, attribute, to.size());
  while (!to.empty()) {
    const std::size_t bytes = receive_head(to.size());
    if (bytes == 0) fail("an answer that is none");
    receive(to.data(), bytes);
    to = to.subspan(bytes);
  }
}

std::string RemoteHdf5::ask(Question question, const std::string& object, const std::string& attribute,
                            std::size_t most) {
  Request request;
  request.question = question;
  send(request, object, attribute, most);
  std::string answer(receive_head(most), '\0');
  receive(answer.data(), answer.size());
  return answer;
}

void RemoteHdf5::send(Request request, const std::string& object, const std::string& attribute, std::size_t bytes) {
  field_ = attribute.empty() ? object : of_attribute(object, attribute);
  request.object_bytes = static_cast<std::uint32_t>(object.size());
  request.attribute_bytes = static_cast<std::uint32_t>(attribute.size());
  std::string message(reinterpret_cast<const char*>(&request), sizeof request);
  message.append(object).append(attribute);
  process_.allow(processor_time(file_bytes_, bytes));
  if (!process_.send(message.data(), message.size())) fail(process_.end());
}

std::size_t RemoteHdf5::receive_head(std::size_t most) {
  Answer answer;
  receive(&answer, sizeof answer);
  if (answer.kind == Answer::Kind::answer && answer.bytes <= most) return answer.bytes;
  if (answer.kind != Answer::Kind::refusal || answer.bytes > kMaxFactsBytes) fail("an answer that is none");
  std::string message(answer.bytes, '\0');
  receive(message.data(), message.size());
  Hdf5Refusal refusal;
  if (!from_message(message, refusal)) fail("an answer that is none");
  throw refusal;
}

void RemoteHdf5::receive(void* to, std::size_t bytes) {
  if (!process_.receive(to, bytes, kSilence)) fail(process_.end());
}

void RemoteHdf5::fail(const std::string& found) const {
  throw Hdf5Refusal{Hdf5Refusal::Kind::bad_input, field_, "an HDF5 file that can be read",
                    "damage that leads to " + found};
}

}  // namespace dsasrgs
