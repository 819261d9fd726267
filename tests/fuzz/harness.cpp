// SPDX-License-Identifier: Apache-2.0
#include "harness.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "dsasrgs/error.hpp"

namespace dsasrgs::fuzz {

namespace {

constexpr double kMostSeconds = 2;
constexpr std::size_t kLongestMessage = 4000;

struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / ("dsasrgs_fuzz_" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path path;
};

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void check_message(const Error& e) {
  const std::string_view message = e.what();
  require(message.size() < kLongestMessage, "an error message without end");
  require(message.find('\n') == std::string_view::npos, "an error message of several lines");
}

}  // namespace

const std::filesystem::path& folder() {
  static const Folder one;
  return one.path;
}

std::filesystem::path file_of(const std::string& name, std::string_view bytes) {
  std::filesystem::path path = folder() / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

void read(const std::function<void()>& f) {
  const double begin = processor_seconds();
  try {
    f();
  } catch (const BadInput& e) {
    check_message(e);
  } catch (const OutOfMemory& e) {
    check_message(e);
  } catch (const IoError& e) {
    check_message(e);
  }
  require(processor_seconds() - begin < kMostSeconds, "more than 2 s of processor time");
}

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

}  // namespace dsasrgs::fuzz
