// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <utility>

#include "dsasrgs/file_reading.hpp"

namespace dsasrgs {

namespace {

struct Setting {
  std::mutex mutex;
  std::vector<std::string> command;
};
Setting& setting() {
  static Setting one;
  return one;
}

}  // namespace

void read_files_through(std::vector<std::string> command) {
  const std::lock_guard lock(setting().mutex);
  setting().command = std::move(command);
}

std::vector<std::string> file_reading_command() {
  const std::lock_guard lock(setting().mutex);
  return setting().command;
}

}  // namespace dsasrgs
