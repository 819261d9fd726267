// SPDX-License-Identifier: Apache-2.0
// Study files and the runs they ask for.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "dsasrgs/error.hpp"
#include "study/plan.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::program;
using Catch::Matchers::Contains;
using dsasrgs::test::TemporaryFolder;

namespace {

const std::string kStudy = R"(
name = "s"
seeds = [0, 5]
views = [8, 12]
reference = "plain"
[settings]
training.steps = 30
[[case]]
name = "a"
acquisition = "a.h5"
[[case]]
name = "b"
views = ["file"]
[case.simulate]
views = 24
size = [32, 16]
no-head = true
keep-position = false
[case.settings]
gaussians.initial = 77
[[labels]]
name = "errors"
method = "oracle"
options = {false-branches = 2}
[[labels]]
name = "given"
files = {a = "labels.h5"}
[[method]]
name = "upsampled"
kind = "measured-upsampled"
[[method]]
name = "plain"
preset = "4drgs"
render = ["high", "low-upsampled"]
[[method]]
name = "taught"
preset = "dsa-srgs"
settings = {super_resolution.weight = 0.25, training.steps = 40}
labels = ["errors", "given"]
)";

std::filesystem::path written(const TemporaryFolder& folder, const std::string& text, const char* name = "study.toml") {
  const std::filesystem::path file = folder.path() / name;
  std::ofstream(file) << text;
  return file;
}

Study study_of(const std::string& text) {
  const TemporaryFolder folder;
  return read_study(written(folder, text));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("study: a plan has every case, number of views, method, label source and seed", "[study]") {
  const Study study = study_of(kStudy);
  const std::vector<StudyRun> runs = plan_runs(study);
  // a: 2 numbers of views × (1 without seed + 2 seeds × (plain + taught with 2 label sources)); b has no "given".
  CHECK(runs.size() == 2 * (1 + 2 * 3) + 1 * (1 + 2 * 2));
  std::set<std::string> ids;
  for (const StudyRun& run : runs) ids.insert(run.id());
  CHECK(ids.size() == runs.size());
  CHECK(ids.contains("a/12-views/taught+given/seed-5"));
  CHECK(ids.contains("b/file-split/plain/seed-0"));
  CHECK(ids.contains("a/8-views/upsampled"));
  CHECK_FALSE(ids.contains("b/file-split/taught+given/seed-0"));
  // All of the first seed come first.
  const auto later = std::find_if(runs.begin(), runs.end(), [](const StudyRun& r) { return r.seed == 5; });
  CHECK(std::none_of(later, runs.end(), [](const StudyRun& r) { return r.seed == 0; }));
}

TEST_CASE("study: settings go from preset over study and case to method", "[study]") {
  for (const StudyRun& run : plan_runs(study_of(kStudy))) {
    if (!run.seed) continue;
    CAPTURE(run.id());
    const bool taught = run.method == "taught";
    CHECK(run.config.preset == (taught ? "dsa-srgs" : "4drgs"));
    CHECK(run.config.training.steps == (taught ? 40 : 30));
    CHECK(run.config.super_resolution.weight == (taught ? 0.25 : 0.0));
    CHECK(run.config.gaussians.initial == (run.case_name == "b" ? 77 : preset_config("4drgs").gaussians.initial));
    CHECK(run.config.training.seed == *run.seed);
  }
}

TEST_CASE("study: tables fill the options of simulate and labels, paths are relative to the study", "[study]") {
  const TemporaryFolder folder;
  const Study study = read_study(written(folder, kStudy));
  CHECK(study.out == folder.path() / "out");
  CHECK(study.work == folder.path() / "out");
  const Study sharing = read_study(written(folder, "work = \"shared\"\n" + std::string(kStudy)));
  CHECK(sharing.out == folder.path() / "out");
  CHECK(sharing.work == folder.path() / "shared");
  CHECK(study.case_named("a").acquisition == folder.path() / "a.h5");
  CHECK(study.labels_named("given").files.at("a") == folder.path() / "labels.h5");
  const SimulateOptions& simulate = study.case_named("b").simulate;
  CHECK(simulate.simulation.sweep.num_views == 24);
  CHECK(simulate.size_px == std::array<int, 2>{32, 16});
  CHECK(simulate.no_head);
  CHECK_FALSE(simulate.source.keep_position);
  CHECK(simulate.source.vessels == kBuiltInTree);
  REQUIRE(study.labels_named("errors").make);
  const LabelOptions& labels = *study.labels_named("errors").make;
  CHECK(labels.method == "oracle");
  CHECK(labels.oracle.false_branches == 2);
  CHECK(labels.oracle.missing_branches == OracleOptions{}.missing_branches);
  CHECK(study.labels_named("errors").is_oracle());
  CHECK_FALSE(study.labels_named("given").make);
  const Study file = read_study(written(folder, replaced(kStudy, "views = 24", "vessels = \"x/y.swc\"")));
  CHECK(vessel_file(file.case_named("b").simulate.source) == folder.path() / "x" / "y.swc");
}

TEST_CASE("study: a base file is under the settings and may not name a preset", "[study]") {
  const TemporaryFolder folder;
  const std::string with_base = "base = \"base.toml\"\n" + kStudy;
  written(folder, "[training]\nsteps = 3\nssim_weight = 0.5\n", "base.toml");
  const auto runs = plan_runs(read_study(written(folder, with_base)));
  CHECK(runs.back().config.training.steps == 40);
  CHECK(runs.back().config.training.ssim_weight == 0.5);
  written(folder, "preset = \"static\"\n", "base.toml");
  CHECK_THROWS_WITH(plan_runs(read_study(written(folder, with_base))), Contains("base.toml: preset: expected none"));
}

TEST_CASE("study: cases, label sources and methods can come from included files", "[study]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "shared");
  written(folder,
          "[[case]]\nname = \"c\"\nacquisition = \"c.h5\"\n[[labels]]\nname = \"bicubic\"\nmethod = \"bicubic\"\n",
          "shared/cases.toml");
  written(folder, "[[method]]\nname = \"first\"\npreset = \"dsa-srgs\"\nlabels = [\"given\"]\n", "methods.toml");
  const std::string including = replaced("include = [\"shared/cases.toml\", \"methods.toml\"]\n" + kStudy,
                                         "{a = \"labels.h5\"}", "{c = \"labels.h5\"}");
  const Study study = read_study(written(folder, including));
  REQUIRE(study.cases.size() == 3);
  CHECK(study.cases[0].acquisition == folder.path() / "shared" / "c.h5");
  CHECK(study.cases[0].views == std::vector<int>{8, 12});
  CHECK(study.labels[0].name == "bicubic");
  CHECK(study.methods[0].name == "first");
  // The study's label source names an included case, the included method a label source of the study.
  CHECK(study.labels_named("given").files.contains("c"));

  const auto refused = [&](const std::string& included, const std::string& message) {
    CAPTURE(included);
    written(folder, included, "methods.toml");
    CHECK_THROWS_WITH(read_study(folder.path() / "study.toml"), Contains(message));
  };
  refused("seeds = [1]\n", "methods.toml: seeds: expected one of case, labels, method");
  refused("[[case]]\nname = \"c\"\nacquisition = \"c.h5\"\n",
          "methods.toml: case[0].name: expected a name that is not");
  refused("[[method]]\nname = \"m\"\npreset = \"4drgs\"\nlabels = [\"x\"]\n",
          "methods.toml: method[0].labels: expected");
  std::filesystem::remove(folder.path() / "methods.toml");
  CHECK_THROWS_AS(read_study(folder.path() / "study.toml"), BadInput);
  CHECK_THROWS_WITH(study_of("name = \"s\"\n[[case]]\nname = \"a\"\nacquisition = \"a.h5\"\n"),
                    Contains("study.toml: method: expected at least one [[method]], found none"));
}

TEST_CASE("study: errors name the file and the field", "[study]") {
  const auto refused = [](const std::string& from, const std::string& to, const std::string& message) {
    CAPTURE(to);
    CHECK_THROWS_WITH(plan_runs(study_of(replaced(kStudy, from, to))), Contains("study.toml: " + message));
  };
  refused("name = \"s\"", "name = \"a/b\"", "name: expected letters");
  refused("name = \"s\"", "name = \"" + std::string(65, 'n') + '"', "name: expected at most 64 characters, found 65");
  refused("name = \"s\"", "", "name: expected a string, found none");
  refused("name = \"s\"", "name = {}", "name: expected a string that is not empty, found {}");
  refused("name = \"s\"", "name = []", "name: expected a string that is not empty, found []");
  refused("no-head = true", "no-head = true\nvolume-size = [3, 3, 3]",
          "case b simulate.volume-size: expected vessels = FILE.raw or FILE.raw.gz with it, found tree");
  refused("seeds = [0, 5]", "seeds = [0, 0]", "seeds: expected each seed once");
  refused("seeds = [0, 5]", "seeds = []", "seeds: expected at least one");
  refused("seeds = [0, 5]", "seeds = 3", "seeds: expected an array");
  refused("seeds = [0, 5]", "sseeds = [0]", "sseeds: expected one of");
  refused("views = [8, 12]", "views = [0]", "views: expected numbers");
  refused("views = [\"file\"]", "views = [\"all\"]", "case[1].views: expected numbers");
  refused("views = [8, 12]", "views = [8, 8]", "views: expected each number once, found 8 twice");
  refused("method = \"oracle\"", "", "labels[0].method: expected one of method, file and files, found none");
  refused("kind = \"measured-upsampled\"", "cases = [\"c\"]\nkind = \"measured-upsampled\"",
          "method[0].cases: expected a or b, found c");
  refused("gaussians.initial = 77", "gaussians.max_scale_voxels = 0.1",
          "method plain of case b: expected settings that");
  refused("reference = \"plain\"", "reference = \"plane\"", "reference: expected upsampled or plain or plain, low-");
  refused("training.steps = 30", "training.stepps = 30", "settings: expected settings");
  refused("gaussians.initial = 77", "gaussians.initial = true", "case b settings: expected");
  refused("acquisition = \"a.h5\"", "", "case[0].acquisition: expected either");
  refused("name = \"b\"", "name = \"a\"", "case[1].name: expected a name that is not taken");
  refused("method = \"oracle\"", "method = \"esrgan\"",
          "labels[0].method: expected network or bicubic or lanczos or oracle, found esrgan");
  refused("{a = \"labels.h5\"}", "{c = \"labels.h5\"}", "labels[1].files.c: expected");
  refused("kind = \"measured-upsampled\"", "kind = \"magic\"",
          "method[0].kind: expected train or measured-upsampled or interpolation-upsampled, found magic");
  // Options of subcommands: names, types, numbers of values, ranges.
  refused("no-head = true", "no-haed = true", "case b simulate.no-haed: expected one of vessels, tree-seed, ");
  refused("no-head = true", "no-head = 1", "case b simulate.no-head: expected true or false, found 1");
  refused("no-head = true", "output = \"x.h5\"", "case b simulate.output: expected one of vessels");
  refused("views = 24", "views = 24.5", "case b simulate.views: expected an integer of 1 or more, found 24.5");
  refused("views = 24", "views = -24", "case b simulate.views: expected an integer of 1 or more, found -24");
  refused("views = 24", "views = \"24\"", "case b simulate.views: expected an integer of 1 or more, found '24'");
  refused("size = [32, 16]", "size = 32", "case b simulate.size: expected an array of 2 numbers, found 32");
  refused("size = [32, 16]", "size = [0, 16]", "case b simulate.size: expected an integer of 1 to 1048576, found 0");
  refused("size = [32, 16]", "photons = -1", "case b simulate.photons: expected a number of 0 to 1e+15, found -1");
  refused("size = [32, 16]", "photons = nan", "case b simulate.photons: expected a number of 0 to 1e+15, found nan");
  refused("size = [32, 16]", "arrival-s = inf", "case b simulate.arrival-s: expected a finite number, found inf");
  refused("size = [32, 16]", "bolus-shape = 101", "case b simulate.bolus-shape: expected a number above 0 and at most");
  refused("size = [32, 16]", "pitch-mm = [1, 0]",
          "case b simulate.pitch-mm: expected a number of 1e-06 to 1e+09, found 0");
  refused("size = [32, 16]", "sod-mm = 0", "case b simulate.sod-mm: expected a number of 1e-06 to 1e+09, found 0");
  refused("size = [32, 16]", "scale = 65", "case b simulate.scale: expected an integer of 1 to 64, found 65");
  refused("false-branches = 2", "missing-strength = 1.5",
          "labels errors options.missing-strength: expected a number of 0 to 1, found 1.5");
  refused("size = [32, 16]", "seed = -1", "case b simulate.seed: expected an integer of 0 or more, found -1");
  refused("size = [32, 16]", "pitch-mm = [1, 2, 3]", "case b simulate.pitch-mm: expected 1 to 2 numbers, found");
  refused("size = [32, 16]", "up-axis = \"x\"", "case b simulate.up-axis: expected y or z, found 'x'");
  refused("false-branches = 2", "false-branches = 1001",
          "labels errors options.false-branches: expected an integer of 0 to 1000, found 1001");
  refused("false-branches = 2", "seed = 2",
          "labels errors options.seed: expected one of storage, network, single-orientation, false-branches");
  refused("method = \"oracle\"", "method = \"bicubic\"",
          "labels errors options.false-branches: expected method = \"oracle\" with it, found method = \"bicubic\"");
  refused("preset = \"4drgs\"", "preset = \"5drgs\"", "method[1].preset: expected 4drgs");
  refused("\"low-upsampled\"", "\"low\"", "method[1].render: expected");
  refused("labels = [\"errors\", \"given\"]", "labels = [\"eror\"]", "method[2].labels: expected");
  refused("name = \"taught\"", "name = taught", "line");
  // Repeats would count runs twice.
  refused("[\"errors\", \"given\"]", "[\"given\", \"given\"]",
          "method[2].labels: expected each once, found given twice");
  refused("\"low-upsampled\"", "\"high\"", "method[1].render: expected each once");
  refused("kind = \"measured-upsampled\"", "cases = [\"a\", \"a\"]\nkind = \"measured-upsampled\"",
          "method[0].cases: expected each once");
  // A preset is more than its name.
  refused("training.steps = 30", "preset = \"togs\"", "settings.preset: expected none");
  refused("gaussians.initial = 77", "preset = \"togs\"", "case[1].settings.preset: expected none");
  refused("super_resolution.weight = 0.25", "preset = \"togs\"", "method[2].settings.preset: expected none");
  refused("labels = [\"errors\", \"given\"]", "", "method taught labels: expected label sources");
  CHECK(plan_runs(study_of(replaced(replaced(kStudy, "labels = [\"errors\", \"given\"]", ""),
                                    "super_resolution.weight = 0.25", "super_resolution.target = \"upsampled\"")))
            .size() == 15);
  CHECK_THROWS_AS(read_study("/nowhere/study.toml"), IoError);
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_study(folder.path()), Contains(folder.path().string() + ": expected a file, found a folder"));
}

TEST_CASE("study: runs by parts of their names", "[study]") {
  const std::vector<StudyRun> runs = plan_runs(study_of(kStudy));
  CHECK(runs_named(runs, {}).size() == runs.size());
  const auto chosen = runs_named(runs, {"a/8-views/plain", "seed-5", "plain/seed-5"});
  CHECK(chosen.size() == 1 + 2 * 3 + 2);  // each once
  // Every part is looked at, not only all of them together.
  CHECK_THROWS_WITH(runs_named(runs, {"plain", "nobody"}), Contains("--only") && Contains("found nobody"));
}
