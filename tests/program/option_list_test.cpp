// SPDX-License-Identifier: Apache-2.0
// One list of options for the command line and for study files.
#include "cli/option_list.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "jobs/make_labels.hpp"
#include "jobs/simulate_case.hpp"
#include "study/option_table.hpp"

using namespace dsasrgs::program;

namespace {

/// Words that the option takes and that are not its default.
struct Sample {
  const Option* option;
  std::vector<std::string> operator()(bool*) const { return {}; }
  std::vector<std::string> operator()(int*) const { return {"5"}; }
  std::vector<std::string> operator()(std::uint64_t*) const { return {"7"}; }
  std::vector<std::string> operator()(double*) const { return {option->range.holds(0.375) ? "0.375" : "1.375"}; }
  std::vector<std::string> operator()(std::string* value) const {
    for (const std::string& c : option->choices)
      if (c != *value) return {c};
    return {"x"};
  }
  template <class T>
  std::vector<std::string> operator()(std::optional<T>*) const {
    T value{};
    return (*this)(&value);
  }
  template <class T, std::size_t n>
  std::vector<std::string> operator()(std::array<T, n>*) const {
    T value{};
    return std::vector<std::string>(n, (*this)(&value)[0]);
  }
  template <class T>
  std::vector<std::string> operator()(std::vector<T>*) const {
    T value{};
    return std::vector<std::string>(static_cast<std::size_t>(option->most_values), (*this)(&value)[0]);
  }
};

std::string toml_value(const Option& option, const std::vector<std::string>& words) {
  if (words.empty()) return "true";
  if (std::holds_alternative<std::string*>(option.field)) return '"' + words[0] + '"';
  if (words.size() == 1) return words[0];
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "[" : ", ") + w;
  return text + "]";
}

template <class Options>
void check_both_ways() {
  Options defaults;
  const auto untouched = option_texts(options_of(defaults));
  std::set<std::string> names;
  for (const Option& option : options_of(defaults)) {
    CAPTURE(option.name);
    CHECK(names.insert(option.name).second);
    const std::vector<std::string> words = std::visit(Sample{&option}, option.field);
    Options by_words, by_table;
    CLI::App app;
    const OptionList list = options_of(by_words);
    add_options(app, list);
    std::vector<std::string> arguments{"--" + option.name};
    arguments.insert(arguments.end(), words.begin(), words.end());
    std::reverse(arguments.begin(), arguments.end());  // the order CLI11 takes a vector in
    REQUIRE_NOTHROW(app.parse(arguments));
    CHECK(given_options(app, list) == std::vector<std::string>{option.name});

    const toml::table table = toml::parse(option.name + " = " + toml_value(option, words));
    CHECK(read_options({table, "f.toml"}, options_of(by_table)) == std::vector<std::string>{option.name});
    const auto filled = option_texts(options_of(by_words));
    CHECK(filled == option_texts(options_of(by_table)));
    CHECK((filled != untouched) == option.in_content);
  }
  Options other;
  const toml::table unknown = toml::parse("no-such-option = 1");
  CHECK_THROWS_WITH(
      read_options({unknown, "f.toml"}, options_of(other)),
      Catch::Matchers::Contains("f.toml: no-such-option: expected one of " + options_of(other).begin()->name));
}

}  // namespace

TEST_CASE("options: words of the command line and tables of a study fill the same fields", "[study]") {
  check_both_ways<SimulateOptions>();
  check_both_ways<LabelOptions>();
}

TEST_CASE("options: their text has all digits and leaves out what the content does not depend on", "[study]") {
  SimulateOptions options;
  options.contrast.arrival_s = 0.1;
  options.pitch_mm = {1.0 / 3, 2};
  options.no_head = options.quiet = true;
  const auto texts = option_texts(options_of(options));
  CHECK(texts.at("arrival-s") == "0.1");
  CHECK(texts.at("pitch-mm") == "0.3333333333333333 2");
  CHECK(texts.at("no-head") == "true");
  CHECK(texts.at("size") == "128 128");
  CHECK_FALSE(texts.contains("quiet"));
  CHECK_FALSE(texts.contains("threads"));
  CHECK_FALSE(texts.contains("tree-seed"));  // not given, and it has no default
}

TEST_CASE("options: the command line refuses the numbers that a study refuses", "[study]") {
  const auto refused = [](std::vector<std::string> words) {
    CAPTURE(words.front(), words.back());
    SimulateOptions simulate;
    LabelOptions labels;
    CLI::App app;
    add_options(app, options_of(simulate));
    CLI::App label_app;
    add_options(label_app, options_of(labels));
    const bool of_labels = words.front() == "--missing-strength" || words.front() == "--sharpening-sigma-px";
    std::reverse(words.begin(), words.end());
    CHECK_THROWS_AS((of_labels ? label_app : app).parse(words), CLI::ValidationError);
  };
  refused({"--photons", "-1"});
  refused({"--photons", "nan"});
  refused({"--arrival-s", "inf"});
  refused({"--size", "0", "16"});
  refused({"--views", "0"});
  refused({"--bolus-shape", "0"});
  refused({"--pitch-mm", "1", "-1"});
  refused({"--motion-mm", "1", "nan", "0"});
  refused({"--missing-strength", "1.5"});
  refused({"--sharpening-sigma-px", "0.2"});
  // Within what an acquisition file holds.
  refused({"--arc-rad", "1e300"});
  refused({"--sdd-mm", "1e10"});
  refused({"--offset-v-mm", "-1e10"});
  refused({"--pitch-mm", "1e-7"});
  refused({"--grid-center-mm", "0", "0", "1e10"});
  refused({"--duration-s", "1e10"});
  refused({"--peak-per-mm", "1e30"});
  refused({"--tree-half-axes-mm", "1", "1", "2000"});
}

TEST_CASE("options: those of other vessels than the ones asked for are not passed over", "[study]") {
  const auto unused = [](const std::string& vessels, const std::string& option) {
    VesselSourceOptions source;
    source.vessels = vessels;
    return unheeded_option(source, {"vessels", option});
  };
  CHECK(unused("a.swc", "tree-inlets").goes_with == "tree");
  CHECK(unused("a.raw", "tree-seed").name == "tree-seed");
  CHECK(unused("a.vtk", "min-radius-mm").goes_with == "FILE.swc");
  CHECK(unused("a.swc", "centerline-radius-mm").goes_with == "FILE.vtk");
  CHECK(unused("a.nii.gz", "smooth-passes").name == "smooth-passes");
  CHECK(unused("tree", "up-axis").goes_with == "FILE");
  CHECK(unused("a.nii", "volume-size").goes_with == "FILE.raw or FILE.raw.gz");
  CHECK(unused("a.swc", "vessel-threshold").goes_with == "a volume");
  for (const auto& [vessels, option] :
       std::vector<std::pair<std::string, std::string>>{{"tree", "tree-min-radius-mm"},
                                                        {"a.swc", "min-radius-mm"},
                                                        {"a.swc", "up-axis"},
                                                        {"a.vtk", "smooth-passes"},
                                                        {"a.vtk", "centerline-radius-mm"},
                                                        {"a.raw.gz", "volume-size"},
                                                        {"a.nii", "vessel-threshold"}})
    CHECK(unused(vessels, option).name.empty());
}

TEST_CASE("options: what does not fit together is refused before anything is made", "[study]") {
  SimulateOptions options;
  CHECK_NOTHROW(check_options(options));
  const auto refused = [](auto change, const std::string& message) {
    SimulateOptions changed;
    change(changed);
    CHECK_THROWS_WITH(check_options(changed), Catch::Matchers::Contains(message));
  };
  refused([](SimulateOptions& o) { o.simulation.sweep.view.sod_mm = 2000; },
          "--sdd-mm: expected more than --sod-mm 2000, found 1200");
  refused([](SimulateOptions& o) { o.simulation.sweep.first_rad = 6, o.simulation.sweep.arc_rad = 12; },
          "--arc-rad: expected --first-rad and it within ±4π, found 18");
  refused([](SimulateOptions& o) { o.simulation.sweep.view.sod_mm = 5; },
          "--sod-mm: expected a source outside the volume");
  refused(
      [](SimulateOptions& o) {
        o.source.tree_half_axes_mm = {9, 2, 9};
      },
      "--tree-inlet-radius-mm: expected at most the shortest of --tree-half-axes-mm 2, found 2.5");
  refused([](SimulateOptions& o) { o.simulation.num_train_views = 134; }, "--train-views: expected at most");
  refused([](SimulateOptions& o) { o.grid_size = {1, 2}; }, "--grid-size: expected 1 or 3 values");
  refused([](SimulateOptions& o) { o.source.vessels = "x.txt"; }, "--vessels: expected tree or a file");
  refused([](SimulateOptions& o) { o.source.vessels = "x.nii"; }, "--vessel-threshold: expected");
  refused([](SimulateOptions& o) { o.source.tree.min_radius_mm = 9; }, "--tree-inlet-radius-mm: expected at least");
}
