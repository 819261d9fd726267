// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all kinds of `dsasrgs import` have in common.

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/option_list.hpp"
#include "dsasrgs/import.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

/// Beside the files of its kind every import takes these.
struct ImportArguments {
  /// What the library calls "tags.NAME" or otherwise than an option of the kind, and what a user types for it; options
  /// themselves ("options.duration_s", "--duration-s") follow from the kind.
  std::map<std::string, std::string> typed_words;
  const CLI::App* kind = nullptr;
  std::string output;
  std::optional<std::array<int, 3>> volume_size;
  std::optional<std::array<double, 3>> volume_spacing_mm;
  std::optional<std::array<double, 3>> volume_center_mm;
  std::optional<double> duration_s;
  std::optional<int> train_views;
  bool force = false, strict = false, quiet = false;
};

/// The output, and then the options, behind the files of the kind.
void add_import_options(CLI::App& kind, ImportArguments&);
/// The options alone, for a kind of which the output is the last of any number of files.
void add_shared_import_options(CLI::App& kind, ImportArguments&);

/// Throws UsageError where the output is there already and may not be replaced, cannot be written, or is an input;
/// to be called before anything is read.
void require_import_output(const ImportArguments&, const std::vector<std::filesystem::path>& inputs);

/// Fills the options that all kinds share.
void follow_arguments(const ImportArguments&, ImportOptions&);

/// What is written with an acquisition.
struct WrittenWith {
  BesideProjections beside;
  std::optional<RawIntensity> raw;  ///< instead of line integrals
};

/// Imports, prints what was found, does what is to be done with the case (`finish`), warns or (with --strict) refuses,
/// and writes the acquisition. All messages name what the user typed instead of the library's options.
void write_import(const ImportArguments&, const std::function<ImportedCase()>& import,
                  const std::function<WrittenWith(ImportedCase&)>& finish = {});

}  // namespace dsasrgs::program
