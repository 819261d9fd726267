// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that a study makes, each with a record of how (FILE.json), so that it is made once.

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "jobs/make_labels.hpp"
#include "jobs/simulate_case.hpp"

namespace dsasrgs::program {

/// How a file is made.
struct Recipe {
  std::string subcommand;                      ///< whose options they are
  std::map<std::string, std::string> options;  ///< as option_texts gives them; of a vessel file the name alone
  std::string vessels;  ///< fingerprint of the vessel file; empty: there is none, or it is not there any more
  std::string input;    ///< fingerprint of the case that labels are made from; empty: none
  bool operator==(const Recipe&) const = default;
};
Recipe recipe_of(const SimulateOptions&);
Recipe recipe_of(const LabelOptions&, const std::string& case_fingerprint);

enum class MadeState { absent, outdated, current };
/// Whether the file is there and was made by this recipe. Vessels that are not there any more are not held against it.
MadeState state_of(const std::filesystem::path& file, const Recipe&);

/// Has the file made, then writes its record. `study` and `field` say in errors where the options come from. Throws
/// BadInput for options that `make` refuses; IoError.
void make_file(const std::filesystem::path& file, const Recipe&, const std::function<void()>& make,
               const std::string& study, const std::string& field);

}  // namespace dsasrgs::program
