#pragma once
// Checks made before a long job, so that it does not fail at its end.

#include <filesystem>

namespace dsasrgs::program {

/// Throws IoError unless a file can be made at `path`: its folder exists and can be written, and it is not a folder.
void require_writable_file(const std::filesystem::path& path);

/// Makes a folder and its parents; unless keep() is called, the destructor removes those it made, if they are empty.
class OutputFolder {
 public:
  /// Throws IoError when it cannot be made or written.
  explicit OutputFolder(std::filesystem::path path);
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
