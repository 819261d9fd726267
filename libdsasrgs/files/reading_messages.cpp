// SPDX-License-Identifier: Apache-2.0
#include "files/reading_messages.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

template <class Archive>
void fields(Archive& archive, ReadingRefusal& refusal) {
  archive.choice(refusal.kind, ReadingRefusal::Kind::io);
  archive(refusal.field, refusal.expected, refusal.found);
}

}  // namespace

void throw_refusal(const std::string& file, const ReadingRefusal& r) {
  if (r.kind == ReadingRefusal::Kind::out_of_memory) throw OutOfMemory(file + ": " + r.field + ": " + r.found);
  if (r.kind == ReadingRefusal::Kind::io) throw IoError(file + ": cannot read: " + r.found);
  throw BadInput(file, r.field, r.expected, r.found);
}

std::string to_message(const ReadingRefusal& refusal) {
  MessageWriter writer;
  fields(writer, const_cast<ReadingRefusal&>(refusal));
  return std::move(writer.bytes);
}

bool from_message(std::string_view message, ReadingRefusal& refusal) {
  MessageReader reader(message);
  fields(reader, refusal);
  return reader.complete();
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
