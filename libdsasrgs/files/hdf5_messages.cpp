// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_messages.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace dsasrgs {

namespace {

constexpr std::size_t kMaxRank = 32;  // HDF5's own

void put(std::string& message, std::uint64_t number) {
  message.append(reinterpret_cast<const char*>(&number), sizeof number);
}
void put(std::string& message, const std::string& text) {
  const std::size_t bytes = std::min(text.size(), kMaxTextBytes);
  put(message, bytes);
  message.append(text, 0, bytes);
}

/// Takes a message apart; after a part that is not there, all are not.
class Parts {
 public:
  explicit Parts(std::string_view message) : left_(message) {}

  std::uint64_t number(std::uint64_t most = static_cast<std::uint64_t>(-1)) {
    std::uint64_t value = 0;
    whole_ = whole_ && left_.size() >= sizeof value;
    if (!whole_) return 0;
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    whole_ = value <= most;
    return whole_ ? value : 0;
  }
  std::string text() {
    const std::size_t bytes = number(kMaxTextBytes);
    whole_ = whole_ && left_.size() >= bytes;
    if (!whole_) return {};
    std::string value(left_.substr(0, bytes));
    left_.remove_prefix(bytes);
    return value;
  }
  bool complete() const { return whole_ && left_.empty(); }

 private:
  std::string_view left_;
  bool whole_ = true;
};

}  // namespace

std::string to_message(const StoredArray& a) {
  std::string message;
  put(message, static_cast<std::uint64_t>(a.type));
  put(message, a.type_in_words);
  put(message, a.element_bytes);
  put(message, a.empty_dataspace ? 1 : 0);
  put(message, a.working_bytes);
  put(message, a.shape.size());
  for (const std::size_t extent : a.shape) put(message, extent);
  return message;
}

bool from_message(std::string_view message, StoredArray& a) {
  Parts parts(message);
  a.type = static_cast<ElementType>(parts.number(static_cast<std::uint64_t>(ElementType::other)));
  a.type_in_words = parts.text();
  a.element_bytes = parts.number();
  a.empty_dataspace = parts.number(1) != 0;
  a.working_bytes = parts.number();
  a.shape.resize(parts.number(kMaxRank));
  for (std::size_t& extent : a.shape) extent = parts.number();
  return parts.complete();
}

std::string to_message(const Hdf5Refusal& refusal) {
  std::string message;
  put(message, static_cast<std::uint64_t>(refusal.kind));
  for (const std::string* text : {&refusal.field, &refusal.expected, &refusal.found}) put(message, *text);
  return message;
}

bool from_message(std::string_view message, Hdf5Refusal& refusal) {
  Parts parts(message);
  refusal.kind = static_cast<Hdf5Refusal::Kind>(parts.number(static_cast<std::uint64_t>(Hdf5Refusal::Kind::io)));
  for (std::string* text : {&refusal.field, &refusal.expected, &refusal.found}) *text = parts.text();
  return parts.complete();
}

bool send_all(int socket, const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = ::send(socket, next, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    next += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t bytes) {
  char* next = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t received = ::recv(socket, next, bytes, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    next += received;
    bytes -= static_cast<std::size_t>(received);
  }
  return true;
}

}  // namespace dsasrgs
