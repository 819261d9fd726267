// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// A file that is there whole or not at all.

#include <cstddef>
#include <filesystem>

namespace dsasrgs {

/// A temporary file beside its target: commit() flushes it to disk and renames it to the target (replacing what was
/// there, or what a link there points at, and keeping its mode); without commit() the destructor removes it. Throws
/// IoError when the system refuses, or the target is a device, pipe or socket.
class AtomicFile {
 public:
  /// Makes the temporary file. Folders are not made.
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes.
  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  std::filesystem::path target_;  ///< as named
  std::filesystem::path file_, temporary_;
  int descriptor_ = -1;
};

}  // namespace dsasrgs
