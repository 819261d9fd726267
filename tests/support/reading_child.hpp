// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files read by a child of the test program.

#include "dsasrgs/file_reading.hpp"

namespace dsasrgs::test {

/// The argument that makes the test program such a child (tests/main.cpp).
inline constexpr const char* kReadForAnother = "read-file-for-another-process";

/// While it lives, files are read by a child.
class ReadInChild {
 public:
  ReadInChild() { read_files_through({"/proc/self/exe", kReadForAnother}); }
  ~ReadInChild() { read_files_through({}); }
  ReadInChild(const ReadInChild&) = delete;
  ReadInChild& operator=(const ReadInChild&) = delete;
};

}  // namespace dsasrgs::test
