// SPDX-License-Identifier: Apache-2.0
#pragma once
// What --version prints.

#include <string>

namespace dsasrgs::program {

/// "NAME 0.1.0"; with `verbose`, lines of "key  value" below: the build and the machine, as a bug report wants them
/// (docs/reporting-bugs.md). Nothing in it is of a user or a file.
std::string version_text(const std::string& name, bool verbose);

}  // namespace dsasrgs::program
