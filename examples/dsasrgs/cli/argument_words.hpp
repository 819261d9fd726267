// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is wrong with arguments, in the words of whoever typed them.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace dsasrgs::program {

/// Of the names the one that a slip of the fingers makes `word` of; empty: none is near.
std::string nearest_name(const std::string& word, const std::vector<std::string>& names);

/// Why the arguments could not be parsed: a misspelt subcommand or option by the nearest name, and whose --help to see.
std::string explain(const CLI::App& app, const CLI::ParseError& error);

/// A message of the library about an argument: without the name of a function, and with the option that fills the
/// field.
std::string in_options(const CLI::App& app, const std::string& message);

}  // namespace dsasrgs::program
