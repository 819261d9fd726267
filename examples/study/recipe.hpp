#pragma once
// Files that a study makes with other subcommands, each with a record of how (FILE.json), so that it is made once.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace dsasrgs::program {

/// How a file is made.
struct Recipe {
  std::vector<std::string> arguments;  ///< of this program, subcommand first, but for --output
  std::string input;                   ///< fingerprint of the case that labels are made from; empty: none
};

enum class MadeState { absent, outdated, current };
/// Whether the file is there and was made by this recipe, however the paths in it are written, and from vessels of the
/// same content. Records without a hash of the vessels, and vessels that are no longer there, are not held against it.
MadeState state_of(const std::filesystem::path& file, const Recipe&);

/// Makes the file and its record. `study` and `field` say in errors where the options come from. Throws BadInput for
/// options that the subcommand refuses; IoError.
void make_file(const std::filesystem::path& file, const Recipe&, const std::string& study, const std::string& field);

/// Checks that the subcommand has these options, without carrying it out. Returns the value of `option` as it would be
/// taken, its default where it is not among them. Throws BadInput as make_file.
std::string option_value(const std::vector<std::string>& arguments, const std::string& option, const std::string& study,
                         const std::string& field);

/// The vessel file that `simulate` arguments name; empty: none.
std::filesystem::path vessel_file(const std::vector<std::string>& arguments);

}  // namespace dsasrgs::program
