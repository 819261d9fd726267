// SPDX-License-Identifier: Apache-2.0
// Stored results of studies, and the recipes of the files that studies make.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "dsasrgs/error.hpp"
#include "study/recipe.hpp"
#include "study/result.hpp"
#include "support/study_results.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::program;
using Catch::Matchers::Contains;
using test::kInfinity;
using test::TemporaryFolder;
using test::trained;
using test::two_views;

TEST_CASE("study result: what is read is what was written", "[study]") {
  const TemporaryFolder folder;
  const StudyResult r = trained();
  write_result(folder / "result.json", r);
  const std::optional<StudyResult> read = read_result(folder / "result.json");
  REQUIRE(read);
  CHECK(read->identity == r.identity);
  CHECK(read->seed == 5);
  CHECK(read->training->gaussians == 345);
  CHECK(read->evaluation->views.views == std::vector<int>{3, 7});
  CHECK(read->evaluation->volume->score->hd95_mm == 2);
  const ViewScores& scores = read->renders.at(0).second.high_resolution;
  CHECK(scores.mean().fixed.psnr_db == 31.25);  // the blank view does not count
  CHECK(scores.views.at(0).fixed.psnr_db == kInfinity);
  CHECK(scores.blank_views() == std::vector<int>{3});
  CHECK_FALSE(read->renders.at(0).second.consistency_test);
  CHECK(read->renders.at(0).second.false_vessel.at("errors").added == 0.75);
  write_result(folder / "again.json", *read);
  CHECK(test::read_bytes(folder / "again.json") == test::read_bytes(folder / "result.json"));
  CHECK_FALSE(read_result(folder / "none.json"));

  StudyResult untrained = trained();
  untrained.training.reset();
  untrained.evaluation.reset();
  untrained.identity.training.config.clear();
  write_result(folder / "result.json", untrained);
  CHECK_FALSE(read_result(folder / "result.json")->training);
  CHECK(read_result(folder / "result.json")->identity == untrained.identity);
}

TEST_CASE("study result: the text of an identity is the same from version to version", "[study]") {
  // Results are kept for months: a change of this text makes them all again, and must be meant.
  const TemporaryFolder folder;
  write_result(folder / "result.json", trained());
  const auto json = nlohmann::ordered_json::parse(test::read_bytes(folder / "result.json"));
  CHECK(json["identity"].dump() ==
        R"({"training":{"case":"case0","train_views":[0,4],"config":"preset = '4drgs'\n","labels":"labels0"},)"
        R"("scoring":{"test_views":[3,7],"renders":["high"],"kind":"train","false_vessel":{"errors":"mask0"}}})");
}

TEST_CASE("study result: a file that is no result is refused by name", "[study]") {
  const TemporaryFolder folder;
  const auto file = folder / "result.json";
  write_result(file, trained());
  const std::string whole = test::read_bytes(file);
  const auto refused = [&](const std::string& text) {
    CAPTURE(text.substr(0, 80));
    test::write_bytes(file, text);
    CHECK_THROWS_AS(read_result(file), BadInput);
    CHECK_THROWS_WITH(read_result(file), Contains("result.json: the file: expected a result of a study"));
  };
  refused("");
  refused("[]");
  refused(whole.substr(0, whole.size() / 2));
  for (const auto& none : {nlohmann::ordered_json(nullptr), nlohmann::ordered_json::object()}) {
    auto json = nlohmann::ordered_json::parse(whole);
    json["renders"] = none;
    refused(json.dump());
  }
  for (const char* pointer : {"/format", "/identity/scoring/kind", "/renders/high/high_resolution/views",
                              "/renders/high/consistency/train", "/run/gaussians", "/seed"}) {
    CAPTURE(pointer);
    auto json = nlohmann::ordered_json::parse(whole);
    auto& value = json[nlohmann::ordered_json::json_pointer(pointer)];
    value = value.is_string() ? nlohmann::ordered_json(0) : nlohmann::ordered_json("x");
    refused(json.dump());
  }
}

TEST_CASE("study recipe: a file is current while options, input and vessels are the same", "[study]") {
  const TemporaryFolder folder;
  const auto made = folder / "case.h5", vessels = folder / "tree.swc";
  test::write_bytes(vessels, "1 0 0 0 0 1 -1\n");
  SimulateOptions options;
  options.source.vessels = vessels.string();
  CHECK(state_of(made, recipe_of(options)) == MadeState::absent);
  make_file(
      made, recipe_of(options), [&] { test::write_bytes(made, "case"); }, "s.toml", "case c simulate");
  CHECK(state_of(made, recipe_of(options)) == MadeState::current);
  options.threads = 3;
  options.quiet = true;
  CHECK(state_of(made, recipe_of(options)) == MadeState::current);
  options.simulation.seed = 9;
  CHECK(state_of(made, recipe_of(options)) == MadeState::outdated);
  options.simulation.seed = SimulationOptions{}.seed;
  // The same vessels elsewhere, gone, and other ones.
  std::filesystem::create_directory(folder / "elsewhere");
  std::filesystem::rename(vessels, folder / "elsewhere" / "tree.swc");
  CHECK(state_of(made, recipe_of(options)) == MadeState::current);
  options.source.vessels = (folder / "elsewhere" / "tree.swc").string();
  CHECK(state_of(made, recipe_of(options)) == MadeState::current);
  test::write_bytes(options.source.vessels, "1 0 0 0 0 2 -1\n");
  CHECK(state_of(made, recipe_of(options)) == MadeState::outdated);
  options.source.vessels = "tree";
  CHECK(state_of(made, recipe_of(options)) == MadeState::outdated);
  test::write_bytes(folder / "case.h5.json", "no record");
  CHECK(state_of(made, recipe_of(options)) == MadeState::outdated);

  LabelOptions labels;
  labels.method = "bicubic";
  CHECK(recipe_of(labels, "a") == recipe_of(labels, "a"));
  CHECK_FALSE(recipe_of(labels, "a") == recipe_of(labels, "b"));
  const auto fails = [&](const auto& make) {
    make_file(made, recipe_of(labels, ""), make, "s.toml", "labels l options");
  };
  CHECK_THROWS_WITH(fails([] { throw InvalidArgument("sharpening: expected less"); }),
                    Contains("s.toml: labels l options: expected ") && Contains("sharpening: expected less"));
  CHECK(state_of(made, recipe_of(labels, "")) == MadeState::outdated);  // its record is gone
}
