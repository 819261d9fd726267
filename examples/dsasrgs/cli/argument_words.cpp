// SPDX-License-Identifier: Apache-2.0
#include "cli/argument_words.hpp"

#include <algorithm>
#include <cctype>

#include "cli/terminal_text.hpp"

namespace dsasrgs::program {

namespace {

/// Letters to change, add, leave out or exchange with their neighbour.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

/// The subcommand that was typed, or the program.
const CLI::App& used(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : used(*parsed.front());
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && std::isdigit(static_cast<unsigned char>(word[1])) == 0 && word[1] != '.';
}

std::string unknown(const std::string& whose, const char* kind, const std::string& word,
                    const std::vector<std::string>& names) {
  const std::string near = nearest_name(word, names);
  return whose + ": expected " + (near.empty() ? std::string("one of its ") + kind + "s" : near) + ", found " +
         terminal_text(word, false, 200) + ", which is no " + kind;
}

/// CLI11's words for an option that was given more than once, or with too few values or others than numbers.
std::string in_plain_words(std::string what) {
  const std::string once = ": At Most 1 required but received ";
  if (const auto at = what.find(once); at != std::string::npos)
    what = what.substr(0, at) + ": expected once, found " + what.substr(at + once.size()) + " times";
  const std::string convert = "Could not convert: ", few = " required ", missing = " missing";
  if (const auto equal = what.find(" = "); what.starts_with(convert) && equal != std::string::npos)
    what = what.substr(convert.size(), equal - convert.size()) + ": expected numbers as --help has them, found " +
           what.substr(equal + 3);
  // "--size: 2 required [INT,INT] missing"
  const auto colon = what.find(": "), at = what.find(few);
  if (what.ends_with(missing) && colon != std::string::npos && at != std::string::npos && colon < at)
    what = what.substr(0, colon) + ": expected " + what.substr(colon + 2, at - colon - 2) + " values, found fewer";
  return what;
}

std::string reason(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& sub = used(app);
  const std::vector<std::string> words = app.remaining(true);
  if (words.empty()) return in_plain_words(error.what());
  if (sub.get_require_subcommand_min() > 0 && !is_option(words.front()))
    return unknown(sub.get_name(), "subcommand", words.front(), subcommand_names(sub));
  const auto found = std::find_if(words.begin(), words.end(), is_option);
  if (found == words.end()) return in_plain_words(error.what());
  const std::string word = found->substr(0, found->find('='));
  const std::vector<std::string> names = option_names(sub);
  if (std::find(names.begin(), names.end(), word) != names.end())
    return word + ": expected behind " + sub.get_name() + ", found before it";
  return unknown(sub.get_name(), "option", word, names);
}

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& names) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  if (word.size() > 64) return nearest;
  for (const std::string& name : names)
    if (const std::size_t d = distance(word, name); d < least) {
      least = d;
      nearest = name;
    }
  if (!nearest.empty()) return nearest;
  for (const std::string& name : names)  // "--checkpoint" of "--checkpoint-every", "--views" of "--train-views"
    if (word.size() > 3 && (name.starts_with(word) || name.ends_with(word.substr(1)))) return name;
  return nearest;
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  std::string path;
  for (const CLI::App* sub = &used(app); sub != nullptr; sub = sub->get_parent())
    path = sub->get_name() + (path.empty() ? "" : " " + path);
  return reason(app, error) + " (see " + path + " --help)";
}

std::string in_options(const CLI::App& app, const std::string& message) {
  const std::vector<std::string> names = option_names(used(app));
  std::string function = message.substr(0, message.find(": "));
  std::string text = without_function(message);
  const bool has_field = !text.starts_with("expected");
  std::string field = has_field ? text.substr(0, text.find(": ")) : function;
  std::string option = "--" + field.substr(field.rfind('.') + 1);
  std::replace(option.begin(), option.end(), '_', '-');
  if (option.starts_with("--num-")) option.erase(2, 4);
  const auto is_known = [&] { return std::find(names.begin(), names.end(), option) != names.end(); };
  for (const char* axis : {"-u-", "-v-"})  // one option for both
    if (const std::size_t at = option.find(axis); at != std::string::npos && !is_known()) option.erase(at, 2);
  if (!is_known()) return has_field ? text : used(app).get_name() + ": " + text;
  return option + (has_field ? text.substr(field.size()) : ": " + text);
}

}  // namespace dsasrgs::program
