// SPDX-License-Identifier: Apache-2.0
#include "stand_in_process.hpp"

#include <cstring>
#include <utility>

#include "files/reading_process.hpp"

namespace dsasrgs {

namespace {

std::string sent;
std::size_t received = 0;

}  // namespace

ReadingProcess::ReadingProcess(const std::vector<std::string>&, int, const std::string&, std::string library)
    : library_(std::move(library)) {}
ReadingProcess::~ReadingProcess() = default;
void ReadingProcess::allow(std::chrono::milliseconds) {}
bool ReadingProcess::send(const void*, std::size_t) { return end_.empty(); }
bool ReadingProcess::receive(void* data, std::size_t bytes, std::chrono::milliseconds) {
  if (!end_.empty() || sent.size() - received < bytes) {
    end();
    return false;
  }
  std::memcpy(data, sent.data() + received, bytes);
  received += bytes;
  return true;
}
const std::string& ReadingProcess::end() { return end_ = "an end of the process that reads it"; }

void fuzz::stand_in_sends(std::string bytes) {
  sent = std::move(bytes);
  received = 0;
}

}  // namespace dsasrgs
