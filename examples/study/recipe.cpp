// SPDX-License-Identifier: Apache-2.0
#include "study/recipe.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/output_path.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "jobs/scores_json.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

fs::path record_of(const fs::path& file) { return file.string() + ".json"; }

/// Empty when there is no record that can be read.
std::optional<Recipe> recorded_recipe(const fs::path& file) {
  std::ifstream stream(record_of(file));
  const Json json = Json::parse(stream, nullptr, false);
  try {
    return Recipe{json.at("subcommand"), json.at("options"), json.at("vessels"), json.at("input")};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Recipe recipe_of(const SimulateOptions& options) {
  SimulateOptions named = options;
  const fs::path vessels = vessel_file(options.source);
  if (!vessels.empty()) named.source.vessels = vessels.filename().string();  // the content counts, not the folder
  std::error_code error;
  return {"simulate", option_texts(options_of(named)),
          fs::is_regular_file(vessels, error) ? file_fingerprint(vessels) : "", ""};
}

Recipe recipe_of(const LabelOptions& options, const std::string& case_fingerprint) {
  LabelOptions copy = options;  // a list is of fields that can be filled
  if (copy.method == kNetworkMethod)
    copy.network = file_fingerprint(network_file(options, false));  // the content counts
  return {"labels", option_texts(options_of(copy)), "", case_fingerprint};
}

MadeState state_of(const fs::path& file, const Recipe& recipe) {
  std::error_code error;
  if (!fs::exists(file, error)) return MadeState::absent;
  std::optional<Recipe> recorded = recorded_recipe(file);
  if (recorded && recipe.vessels.empty()) recorded->vessels.clear();
  return recorded == recipe ? MadeState::current : MadeState::outdated;
}

void make_file(const fs::path& file, const Recipe& recipe, const std::function<void()>& make, const std::string& study,
               const std::string& field) {
  OutputFolder folder(file.parent_path());
  fs::remove(record_of(file));  // first, so that an old record never stands beside a new file
  const auto refuse = [&](const std::string& why) { throw BadInput(study, field, "options of that subcommand", why); };
  try {
    make();
  } catch (const UsageError& e) {
    refuse(e.what());
  } catch (const InvalidArgument& e) {
    refuse(without_function(e.what()));
  } catch (const BadInput& e) {
    refuse(e.what());
  }
  const Json record = {{"subcommand", recipe.subcommand},
                       {"options", recipe.options},
                       {"vessels", recipe.vessels},
                       {"input", recipe.input}};
  write_text(record_of(file), json_text(record));
  folder.keep();
}

}  // namespace dsasrgs::program
