// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// How many threads a CPU context may have.

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Of Context::cpu: libgomp ends the process where it cannot start as many as it is told to.
inline constexpr int kMostThreads = 1024;

}  // namespace dsasrgs
