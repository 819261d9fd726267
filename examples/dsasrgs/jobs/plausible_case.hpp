// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is implausible about a case, said before anything is made of it.

#include <string>
#include <vector>

#include "dsasrgs/plausibility.hpp"

namespace dsasrgs::program {

/// Says each finding on stderr, unless quiet; with `strict`, where there is one, throws Error that holds all of them.
void warn_or_refuse(const Acquisition&, const std::vector<Finding>&, bool strict, bool quiet);
/// The same with warnings that name their file.
void warn_or_refuse(const std::string& name, const std::vector<std::string>& warnings, bool strict, bool quiet);

constexpr const char* kStrictDescription = "refuse a case that is implausible (exit code 2) instead of warning";

}  // namespace dsasrgs::program
