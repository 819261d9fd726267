// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text for a terminal, whatever file or argument it came from.

#include <cstddef>
#include <string>
#include <string_view>

namespace dsasrgs::program {

/// `text` without what a terminal obeys: control characters are written as \n, \r, \t or \xHH (a line feed stays where
/// `keep_lines`), and what is beyond `longest` bytes is cut out of the middle and counted.
std::string terminal_text(std::string_view text, bool keep_lines = false, std::size_t longest = 8000);

/// The shortest of six digits: "0.5", "1e+300", never three hundred digits.
std::string number_text(double value);

/// As a shell takes it for one word.
std::string shell_word(const std::string& word);

/// A message of the library without the name of the C++ function that it begins with, if it does.
std::string without_function(const std::string& message);

/// "1 render", "3 renders".
std::string count_text(std::size_t count, const std::string& thing);

}  // namespace dsasrgs::program
