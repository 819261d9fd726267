// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/hdf5_reading.hpp"

#include <mutex>
#include <utility>

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

void read_hdf5_through(std::vector<std::string> command) {
  const std::lock_guard lock(setting().mutex);
  setting().command = std::move(command);
}

std::vector<std::string> hdf5_reading_command() {
  const std::lock_guard lock(setting().mutex);
  return setting().command;
}

}  // namespace dsasrgs
