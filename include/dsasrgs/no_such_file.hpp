// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The error of a name that leads to no file.

#include "dsasrgs/error.hpp"
#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// What was to be read is not there, or cannot be what it is named for: a folder, a device, a pipe. Whoever gave the
/// name, in a call or in another file, is to look at it; any other IoError is the system's.
class NoSuchFile : public IoError {
 public:
  using IoError::IoError;
};

}  // namespace dsasrgs
