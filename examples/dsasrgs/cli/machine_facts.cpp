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

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

nlohmann::ordered_json machine_as_json() {
  return {{"processor", processor()},
          {"processor_threads", std::thread::hardware_concurrency()},
          {"commit", DSASRGS_SOURCE_COMMIT},
          {"finished", now_utc()}};
}

}  // namespace dsasrgs::program
