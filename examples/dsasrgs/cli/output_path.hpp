// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checks made before a long job, so that it does not fail at its end.

#include <filesystem>
#include <string>
#include <vector>

namespace dsasrgs::program {

/// Throws UsageError naming `option` when the file to be written is one of those that are read, whatever links and
/// spellings lead there. Empty paths stand for no file.
void require_no_input(const std::string& option, const std::filesystem::path& output,
                      const std::vector<std::filesystem::path>& inputs);

/// Throws unless a file can be made at `path`: UsageError where its folder is not there, or it is a folder, a device, a
/// pipe or a socket, or too long a name; IoError where its folder cannot be written; and as require_no_input.
void require_writable_file(const std::string& option, const std::filesystem::path& path,
                           const std::vector<std::filesystem::path>& inputs);

/// Of --force, on every subcommand that has it for one output.
inline constexpr const char* kForceDescription = "replace the output";

/// Throws UsageError naming `option` where the output is there and is not an HDF5 file of `format`, or is one and
/// `force` is not given: a folder, a table or a header may lead to inputs that nobody has named, and none of them is to
/// be replaced.
void require_replaceable(const std::string& option, const std::filesystem::path& output, const char* format,
                         bool force);
/// The same of a file for other programs, which is to be one that this program wrote (file_kind.hpp).
void require_replaceable(const std::string& option, const std::filesystem::path& output, bool force);

/// Makes a folder and its parents; unless keep() is called, the destructor removes those it made, if they are empty.
class OutputFolder {
 public:
  /// `named_by` is what errors blame. Throws IoError when it cannot be made or written, UsageError when a file is in
  /// its place.
  explicit OutputFolder(std::filesystem::path path, const std::string& named_by = "--output");
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() { keep_ = true; }

 private:
  std::filesystem::path path_;
  std::filesystem::path existing_;  // the deepest ancestor that was there before
  bool keep_ = false;
};

}  // namespace dsasrgs::program
