// SPDX-License-Identifier: Apache-2.0
#include "import/import_job.hpp"

#include <algorithm>
#include <cctype>

#include "cli/interruption.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"
#include "jobs/plausible_case.hpp"

namespace dsasrgs::program {

namespace {

/// The words of `a`, and every option of the kind by its library names.
std::map<std::string, std::string> typed_words_of(const ImportArguments& a) {
  std::map<std::string, std::string> words = a.typed_words;
  for (const CLI::Option* option : a.kind->get_options())
    for (std::string name : option->get_lnames()) {
      const std::string typed = "--" + name;
      std::replace(name.begin(), name.end(), '-', '_');
      for (const char* in : {"options.", "options.num_", "options.grey."}) words.emplace(in + name, typed);
    }
  words.emplace("options.volume", "--volume-size, --volume-spacing-mm");
  return words;
}

/// `text` with whole words replaced.
std::string in_typed_words(const std::map<std::string, std::string>& words, const std::string& text) {
  const auto of_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '/' || c == '-';
  };
  std::string typed;
  for (auto at = text.begin(); at != text.end();) {
    const auto end = std::find_if_not(at, text.end(), of_word);
    const std::string word(at, end);
    const auto found = words.find(word);
    typed += found == words.end() ? word : found->second;
    at = std::find_if(end, text.end(), of_word);
    typed.append(end, at);
  }
  return typed;
}

}  // namespace

void add_import_options(CLI::App& kind, ImportArguments& a) {
  kind.add_option("output", a.output, "acquisition file to write (CASE.h5)")->required();
  add_shared_import_options(kind, a);
}

void add_shared_import_options(CLI::App& kind, ImportArguments& a) {
  a.kind = &kind;
  OptionList list;
  list.add("volume-size", a.volume_size,
           "voxels of the region to reconstruct instead of the one that the files or the "
           "views' common sight give: x y z")
      .between(1, 1 << 20);
  list.add("volume-spacing-mm", a.volume_spacing_mm, "its voxel size: x y z").within(1e-6, 1e9);
  list.add("volume-center-mm", a.volume_center_mm, "its centre: x y z; default: 0 0 0").within(-1e9, 1e9);
  list.add("duration-s", a.duration_s, "time from the first view to the last, where the files have none")
      .not_negative();
  add_options(kind, list);
  kind.add_option("--train-views", a.train_views, "evenly spaced training views; the others are for testing");
  kind.add_flag("--force", a.force, kForceDescription);
  kind.add_flag("--strict", a.strict, kStrictDescription);
  kind.add_flag("--quiet", a.quiet, "print nothing but errors");
}

void require_import_output(const ImportArguments& a, const std::vector<std::filesystem::path>& inputs) {
  require_writable_file("output", a.output, inputs);
  require_replaceable("output", a.output, "dsasrgs.acquisition", a.force);
  if (a.volume_size.has_value() != a.volume_spacing_mm.has_value())
    throw UsageError("--volume-size: expected with --volume-spacing-mm, found one of them");
  if (a.volume_center_mm && !a.volume_size)
    throw UsageError("--volume-center-mm: expected with --volume-size and --volume-spacing-mm, found without");
}

void follow_arguments(const ImportArguments& a, ImportOptions& options) {
  if (a.volume_size) {
    VolumeGrid grid{(*a.volume_size)[0],
                    (*a.volume_size)[1],
                    (*a.volume_size)[2],
                    {(*a.volume_spacing_mm)[0], (*a.volume_spacing_mm)[1], (*a.volume_spacing_mm)[2]},
                    {}};
    const std::array<double, 3> center = a.volume_center_mm.value_or(std::array<double, 3>{});
    grid.origin_mm = Vec3d{center[0], center[1], center[2]} - grid.extent_mm() * 0.5;
    options.volume = grid;
  }
  options.duration_s = a.duration_s;
  options.num_train_views = a.train_views;
}

void write_import(const ImportArguments& a, const std::function<ImportedCase()>& import,
                  const std::function<WrittenWith(ImportedCase&)>& finish) {
  const std::map<std::string, std::string> words = typed_words_of(a);
  const auto in_words = [&](const auto& what) {
    try {
      return what();
    } catch (const BadInput& e) {
      throw UsageError(in_typed_words(words, e.what()));
    } catch (const InvalidArgument& e) {
      throw InvalidArgument(in_typed_words(words, e.what()));
    }
  };
  ImportedCase imported = in_words(import);
  for (const std::string& line : imported.found) print_line(a.quiet, line);
  {
    const Interruption interruption;  // the file is whole or not there, and nothing stays behind
    const WrittenWith with = finish ? in_words([&] { return finish(imported); }) : WrittenWith{};
    for (std::string& warning : imported.warnings) warning = in_typed_words(words, warning);
    warn_or_refuse(imported.acquisition.name, imported.warnings, a.strict, a.quiet);
    write_acquisition(a.output, imported.acquisition, with.raw ? &*with.raw : nullptr, with.beside);
  }
  print_line(a.quiet, "wrote " + a.output);
}

}  // namespace dsasrgs::program
