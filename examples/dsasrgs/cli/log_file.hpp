// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file of lines that grows while a job goes on, and never ends it.

#include <filesystem>
#include <string>

namespace dsasrgs::program {

class LogFile {
 public:
  LogFile() = default;
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Begins the file, whole, in place of an earlier one. Throws IoError.
  void begin(const std::filesystem::path& path, const std::string& text);
  /// Appends. What cannot be written is warned of once and written with a later line.
  void add(const std::string& text);

 private:
  void flush();

  std::filesystem::path path_;
  std::string pending_;
  int descriptor_ = -1;
  bool warned_ = false;
};

}  // namespace dsasrgs::program
