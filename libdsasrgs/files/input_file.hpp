// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file to read: looked at before any library opens it.

#include <cstddef>
#include <filesystem>

namespace dsasrgs {

/// An open, regular file, with a shared lock on it where the file system has locks: HDF5 takes an exclusive one to
/// write.
class InputFile {
 public:
  /// Throws IoError where there is none that can be read, it is no regular file (a pipe would be waited for), or
  /// another program is writing it. HDF5_USE_FILE_LOCKING=FALSE in the environment, HDF5's own switch, leaves the lock
  /// out.
  explicit InputFile(const std::filesystem::path&);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::size_t size() const { return size_; }
  /// Whether HDF5's signature is where HDF5 looks for it: at 0, 512, 1024, 2048, …
  bool is_hdf5() const;

 private:
  int descriptor_ = -1;
  std::size_t size_ = 0;
};

}  // namespace dsasrgs
