// SPDX-License-Identifier: Apache-2.0
#include "cli/machine_facts.hpp"

#include <ctime>
#include <fstream>
#include <string>
#include <thread>

#include "source_commit.hpp"

namespace dsasrgs::program {

namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown";
}

}  // namespace

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

MachineFacts machine_facts() {
  return {processor(), std::thread::hardware_concurrency(), DSASRGS_SOURCE_COMMIT, now_utc()};
}

nlohmann::ordered_json as_json(const MachineFacts& facts) {
  return {{"processor", facts.processor},
          {"processor_threads", facts.processor_threads},
          {"commit", facts.commit},
          {"finished", facts.finished}};
}

}  // namespace dsasrgs::program
