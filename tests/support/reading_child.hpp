// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files read by a child of the test program.

#include "dsasrgs/hdf5_reading.hpp"

namespace dsasrgs::test {

/// The argument that makes the test program such a child (tests/main.cpp).
inline constexpr const char* kReadForAnother = "read-hdf5-for-another-process";

/// While it lives, files are read by a child.
class ReadInChild {
 public:
  ReadInChild() { read_hdf5_through({"/proc/self/exe", kReadForAnother}); }
  ~ReadInChild() { read_hdf5_through({}); }
  ReadInChild(const ReadInChild&) = delete;
  ReadInChild& operator=(const ReadInChild&) = delete;
};

}  // namespace dsasrgs::test
