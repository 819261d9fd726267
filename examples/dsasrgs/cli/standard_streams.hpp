// SPDX-License-Identifier: Apache-2.0
#pragma once
// Standard input, output and error as the program finds them.

#include <string>

namespace dsasrgs::program {

/// Opens /dev/null in place of those that are closed, so that no file of the program gets their descriptors, and has
/// broken pipes and file-size limits come as errors of the write, not as signals that end the program.
void guard_standard_streams();

/// What was printed on standard output is on its way, or why it is not: empty, or the error.
std::string unwritten_output();

}  // namespace dsasrgs::program
