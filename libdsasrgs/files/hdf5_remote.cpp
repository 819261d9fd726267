// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_remote.hpp"

#include <utility>

namespace dsasrgs {

RemoteHdf5::RemoteHdf5(const std::vector<std::string>& command, const InputFile& file, const std::string& name)
    : file_bytes_(file.size()), dialogue_(command, file, name, {"the HDF5 library", "an HDF5 file"}) {
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
  if (!from_message(ask(Question::dataset, dataset, "", kMaxFactsBytes), array))
    dialogue_.fail("an answer that is none");
  return datasets_.emplace(dataset, std::move(array)).first->second;
}

StoredArray RemoteHdf5::attribute(const std::string& object, const std::string& attribute) {
  const std::lock_guard lock(one_at_a_time_);
  StoredArray array;
  if (!from_message(ask(Question::attribute, object, attribute, kMaxFactsBytes), array))
    dialogue_.fail("an answer that is none");
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
  dialogue_.read_values(to);
}

std::string RemoteHdf5::ask(Question question, const std::string& object, const std::string& attribute,
                            std::size_t most) {
  Request request;
  request.question = question;
  send(request, object, attribute, most);
  return dialogue_.answer(most);
}

void RemoteHdf5::send(Request request, const std::string& object, const std::string& attribute, std::size_t bytes) {
  request.object_bytes = static_cast<std::uint32_t>(object.size());
  request.attribute_bytes = static_cast<std::uint32_t>(attribute.size());
  std::string message(reinterpret_cast<const char*>(&request), sizeof request);
  message.append(object).append(attribute);
  dialogue_.ask(message, attribute.empty() ? object : of_attribute(object, attribute), bytes);
}

}  // namespace dsasrgs
