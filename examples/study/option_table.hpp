// SPDX-License-Identifier: Apache-2.0
#pragma once
// A TOML table of a job's options: {views = 24, size = [32, 32], no-head = true} is --views 24 --size 32 32 --no-head.

#include <string>
#include <vector>

#include "cli/option_list.hpp"
#include "study/toml_table.hpp"

namespace dsasrgs::program {

/// Fills the fields of the options that the table has; returns their names. Throws BadInput naming file and field for a
/// name that is not in the list or is among `taken`, which the study decides itself, a value of another type or number,
/// and one out of range.
std::vector<std::string> read_options(const TomlTable&, const OptionList&, const std::vector<std::string>& taken = {});

}  // namespace dsasrgs::program
