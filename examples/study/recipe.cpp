#include "study/recipe.hpp"

#include <algorithm>
#include <fstream>

#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "cli/output_path.hpp"
#include "subcommands.hpp"
#include "cli/usage_error.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

fs::path record_of(const fs::path& file) { return file.string() + ".json"; }

Json as_json(const Recipe& recipe) {
  Json json = {{"arguments", recipe.arguments}, {"input", recipe.input}};
  const fs::path vessels = vessel_file(recipe.arguments);
  if (std::error_code error; fs::is_regular_file(vessels, error)) json["vessels"] = file_fingerprint(vessels);
  return json;
}

/// Can these be one path, written in folders that nobody knows? The shorter, without "..", must end the longer.
bool may_be_one_path(const fs::path& a, const fs::path& b) {
  const auto parts = [](const fs::path& path) {
    std::vector<fs::path> list;
    for (const fs::path& part : path.lexically_normal().relative_path())
      if (part != "..") list.push_back(part);
    return list;
  };
  const std::vector<fs::path> x = parts(a), y = parts(b);
  const auto common = static_cast<std::ptrdiff_t>(std::min(x.size(), y.size()));
  return common > 0 && std::equal(x.rbegin(), x.rbegin() + common, y.rbegin());
}

bool is_record_of(Json recorded, const Json& wanted) {
  if (!recorded.is_object() || recorded["input"] != wanted["input"]) return false;
  const Json &mine = recorded["arguments"], &theirs = wanted["arguments"];
  if (!mine.is_array() || mine.size() != theirs.size()) return false;
  const bool hashed = recorded.contains("vessels") && wanted.contains("vessels");
  if (hashed && recorded["vessels"] != wanted["vessels"]) return false;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (mine[i] == theirs[i]) continue;
    if (i == 1 && mine[0] == "labels") continue;  // the case, which `input` stands for
    const bool is_vessels = i > 0 && mine[i - 1] == "--vessels" && mine[i].is_string();
    if (!is_vessels) return false;
    if (!hashed && !may_be_one_path(mine[i].get<std::string>(), theirs[i].get<std::string>())) return false;
  }
  return true;
}

/// The program with the two subcommands, given these arguments.
struct Invocation {
  Invocation() {
    add_simulate(app);
    add_labels(app);
  }
  void parse(std::vector<std::string> arguments, const std::string& study, const std::string& field) {
    std::reverse(arguments.begin(), arguments.end());  // the order CLI11 takes a vector in
    const auto refuse = [&](const std::exception& e) {
      throw BadInput(study, field, "options of that subcommand", e.what());
    };
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& e) {
      refuse(e);
    } catch (const UsageError& e) {
      refuse(e);
    } catch (const InvalidArgument& e) {
      refuse(e);
    } catch (const BadInput& e) {
      refuse(e);
    }
  }
  CLI::App app;
};

}  // namespace

MadeState state_of(const fs::path& file, const Recipe& recipe) {
  std::error_code error;
  if (!fs::exists(file, error)) return MadeState::absent;
  std::ifstream record(record_of(file));
  return is_record_of(Json::parse(record, nullptr, false), as_json(recipe)) ? MadeState::current : MadeState::outdated;
}

void make_file(const fs::path& file, const Recipe& recipe, const std::string& study, const std::string& field) {
  OutputFolder folder(file.parent_path());
  fs::remove(record_of(file));  // first, so that an old record never stands beside a new file
  const Json record = as_json(recipe);
  std::vector<std::string> arguments = recipe.arguments;
  arguments.insert(arguments.end(), {"--output", file.string(), "--quiet"});
  Invocation().parse(std::move(arguments), study, field);
  write_text(record_of(file), record.dump(2) + "\n");
  folder.keep();
}

std::string option_value(const std::vector<std::string>& arguments, const std::string& option, const std::string& study,
                         const std::string& field) {
  Invocation program;
  struct Parsed {};
  program.app.parse_complete_callback([] { throw Parsed(); });  // before the subcommand begins
  std::vector<std::string> whole = arguments;
  whole.insert(whole.end(), {"--output", "unused", "--quiet"});
  try {
    program.parse(std::move(whole), study, field);
  } catch (const Parsed&) {
  }
  const CLI::Option& found = *program.app.get_subcommand(arguments.front())->get_option(option);
  return found.empty() ? found.get_default_str() : found.results().back();
}

fs::path vessel_file(const std::vector<std::string>& arguments) {
  const auto option = std::find(arguments.begin(), arguments.end(), "--vessels");
  if (option == arguments.end() || option + 1 == arguments.end() || option[1] == "tree") return {};
  return option[1];
}

}  // namespace dsasrgs::program
