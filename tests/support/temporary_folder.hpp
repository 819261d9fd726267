// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files for one test, and the check of one-line error messages.

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

namespace dsasrgs::test {

/// A new, empty folder that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("dsasrgs_test_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directory(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  /// Files in it, hidden ones too.
  int num_files() const {
    const std::filesystem::directory_iterator files(path_);
    return static_cast<int>(std::distance(begin(files), end(files)));
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// f must throw an E whose message is one line that holds every part.
template <class E, class F>
void require_error(const F& f, std::initializer_list<std::string_view> parts) {
  std::string message = "nothing thrown";
  try {
    f();
  } catch (const E& e) {
    message = e.what();
  }
  INFO(message);
  REQUIRE(message != "nothing thrown");
  REQUIRE(message.find('\n') == std::string::npos);
  for (const std::string_view part : parts) {
    INFO("wanted: " << part);
    REQUIRE(message.find(part) != std::string::npos);
  }
}

}  // namespace dsasrgs::test
