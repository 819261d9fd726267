// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the user asked for makes no sense; the program ends with exit code 2.

#include <stdexcept>

namespace dsasrgs::program {

/// One line: "--option: expected …, found …".
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace dsasrgs::program
