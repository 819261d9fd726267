// SPDX-License-Identifier: Apache-2.0
#pragma once
// A ReadingProcess that is none, in place of the library's (files/reading_process.cpp).

#include <string>

namespace dsasrgs::fuzz {

/// What the next process sends, whatever it is asked.
void stand_in_sends(std::string bytes);

}  // namespace dsasrgs::fuzz
