// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// What jobs that score say of how far they are.

#include <cstddef>
#include <functional>

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// How far a job is.
struct ProgressReport {
  /// "evaluating", "evaluating high resolution", "scoring the volume", "interpolating", "reprojecting", "weighing",
  /// "matching" or "supporting"; a literal
  const char* stage;
  std::size_t done;            ///< views or slices of this stage; 0 before the first
  std::size_t total;           ///< at least 1
  const char* unit = "views";  ///< or "slices", each of which is gone through several times; a literal
};
/// Called on the thread that does the job, before its first view or slice and after each. False stops it: it throws
/// Cancelled.
using ProgressCallback = std::function<bool(const ProgressReport&)>;

}  // namespace dsasrgs
