// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/config.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <locale>

#include "dsasrgs/error.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;

namespace {
std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
}  // namespace

TEST_CASE("config: presets carry the published constants", "[config]") {
  const Config c = preset_config("4drgs");
  CHECK(c.training.steps == 30000);
  // 0.8 / 3 of L1 and 0.2 of SSIM: where the brightest line integral is a third, 0.8 of a difference and 0.2 of SSIM.
  CHECK(c.training.ssim_weight == Approx(0.2 / (0.8 / 3 + 0.2)));
  CHECK(c.training.ssim_range == 3);
  CHECK(c.field.grid3d.levels == 12);
  CHECK(c.field.grid4d.base_resolution == 2);
  CHECK(c.density_control.gradient_threshold == 1e-4);
  CHECK_FALSE(c.residual_split.enabled);
  CHECK_FALSE(c.residual_births.enabled);
  CHECK_FALSE(c.density_control.pixel_weights);
  const Config dsa_srgs = preset_config("dsa-srgs");
  CHECK(dsa_srgs.residual_split.enabled);
  CHECK(dsa_srgs.residual_split.every == 100);
  CHECK(dsa_srgs.residual_births.enabled);
  CHECK(preset_config("static").field.kind == AttenuationKind::constant);
  CHECK(message_of([] { preset_config("nothing", "my form"); }).find("my form: name: expected 4drgs or ") == 0);
  for (const std::string& name : preset_names()) CHECK_NOTHROW(validate(preset_config(name), name));
}

TEST_CASE("config: the baselines' loss terms have the published proportions", "[config]") {
  const Config togs = preset_config("togs"), r2 = preset_config("r2-gaussian");
  CHECK(togs.field.kind == AttenuationKind::offset_table);
  const double third = 1.0 / 3, togs_l1 = 1 - togs.training.ssim_weight;  // a difference of a third is 1 in L1
  CHECK(togs.training.ssim_weight / togs_l1 == Approx(0.1 / (0.9 * third)));
  CHECK(togs.training.table_variation_weight / togs_l1 == Approx(0.0043 / (0.9 * third)));
  CHECK(togs.density_control.random_prune == 0.08);
  CHECK(r2.field.kind == AttenuationKind::constant);
  const double l1 = 1 - r2.training.ssim_weight;
  CHECK(r2.training.ssim_weight / l1 == Approx(0.25 / third));
  CHECK(r2.training.tv_weight / l1 == Approx(0.05));  // attenuation is in thirds, as differences are
  CHECK(r2.density_control.halve_density);
}

TEST_CASE("config: what needs another attenuation model is refused by name", "[config]") {
  Config config = preset_config("togs");
  apply_setting(config, "field.kind=static");
  const std::string table = message_of([&] { validate(config, "here"); });
  CHECK(table.find("here: training.table_variation_weight") != std::string::npos);
  CHECK(table.find("static") != std::string::npos);
  apply_setting(config, "training.table_variation_weight=0");
  CHECK_NOTHROW(validate(config, "here"));
  config = preset_config("4drgs");
  apply_setting(config, "density_control.halve_density=true");
  const std::string halve = message_of([&] { validate(config, "here"); });
  CHECK(halve.find("density_control.halve_density") != std::string::npos);
  CHECK(halve.find("neural") != std::string::npos);
}

TEST_CASE("config: settings that only go together may come in any order", "[config]") {
  Config config = preset_config("4drgs");
  apply_setting(config, "gaussians.min_scale_voxels=20");
  apply_setting(config, "gaussians.max_scale_voxels=30");
  CHECK_NOTHROW(validate(config, "here"));
  apply_setting(config, "gaussians.max_scale_voxels=20");
  CHECK(message_of([&] { validate(config, "here"); }).find("gaussians.max_scale_voxels") != std::string::npos);
}

TEST_CASE("config: a run that can learn nothing is refused", "[config]") {
  Config config = preset_config("static");
  for (const char* rate : {"position", "scale", "rotation", "attenuation"}) {
    CHECK_NOTHROW(validate(config, "here"));
    apply_setting(config, std::string("learning_rate.") + rate + "=[0,0]");
  }
  CHECK(message_of([&] { validate(config, "here"); }).find("learning_rate") != std::string::npos);
}

TEST_CASE("config: TOML round trip gives the same configuration", "[config]") {
  Config c = preset_config("4drgs");
  apply_setting(c, "training.steps=123");
  apply_setting(c, "gaussians.init=random");
  apply_setting(c, "learning_rate.position=[2e-3, 1e-7]");
  apply_setting(c, "field.grid4d.growth=1.25");
  apply_setting(c, "nuisance.view_offset=true");
  apply_setting(c, "field.kind=static");
  apply_setting(c, "field.precision=bf16");
  apply_setting(c, "density_control.pixel_weights=true");
  apply_setting(c, "residual_split.enabled=true");
  apply_setting(c, "residual_split.threshold_factor=[1, 0.5]");
  apply_setting(c, "residual_split.conserve_mass=false");
  apply_setting(c, "residual_births.window=0.5");
  const std::string text = to_toml(c);
  const Config back = config_from_toml(text, "test");
  CHECK(to_toml(back) == text);
  CHECK(back.training.steps == 123);
  CHECK(back.gaussians.init == InitialPoints::random);
  CHECK(back.learning_rate.position.last == 1e-7);
  CHECK(back.field.grid4d.growth == 1.25);
  CHECK(back.field.kind == AttenuationKind::constant);
  CHECK(back.field.precision == FieldPrecision::bf16);
  CHECK(back.nuisance.view_offset);
  CHECK(back.density_control.pixel_weights);
  CHECK(back.residual_split.enabled);
  CHECK(back.residual_split.threshold_factor.last == 0.5);
  CHECK_FALSE(back.residual_split.conserve_mass);
  CHECK(back.residual_births.window == 0.5);
}

TEST_CASE("config: every bad setting names the field, what was expected and what was found", "[config]") {
  struct Case {
    const char* setting;
    const char* field;
    const char* found;
  };
  const Case cases[] = {{"training.stepz=3", "training.stepz", "unknown"},
                        {"training.steps=three", "training.steps", "three"},
                        {"training.steps=0", "training.steps", "0"},
                        {"training.steps=99999999999", "training.steps", "99999999999"},
                        {"training.ssim_weight=1.5", "training.ssim_weight", "1.5"},
                        {"training.ssim_weight=nan", "training.ssim_weight", "nan"},
                        {"training.tv_weight=-1", "training.tv_weight", "-1"},
                        {"training.tv_block=1", "training.tv_block", "1"},
                        {"density_control.random_prune=1.5", "density_control.random_prune", "1.5"},
                        {"learning_rate.position=1e-3", "learning_rate.position", "0.001"},
                        {"learning_rate.position=[1e-3, -1]", "learning_rate.position", "-1"},
                        {"gaussians.init=magic", "gaussians.init", "magic"},
                        {"field.precision=fp16", "field.precision", "fp16"},
                        {"gaussians.pixel_footprint=1", "gaussians.pixel_footprint", "1"},
                        {"field=3", "field", "3"},
                        {"residual_split.children=1", "residual_split.children", "1"},
                        {"residual_births.window=0", "residual_births.window", "0"},
                        {"preset=togs", "preset", "togs"},
                        {"field.grid3d.level=3", "field.grid3d.level", "unknown"},
                        {"nothing", "nothing", "nothing"}};
  for (const Case& c : cases) {
    Config config = preset_config("4drgs");
    const std::string before = to_toml(config);
    const std::string message = message_of([&] { apply_setting(config, c.setting, "here"); });
    INFO(c.setting << " -> " << message);
    CHECK(message.find("here") != std::string::npos);
    CHECK(message.find(c.field) != std::string::npos);
    CHECK(message.find("expected") != std::string::npos);
    CHECK(message.find(c.found) != std::string::npos);
    CHECK(to_toml(config) == before);
  }
}

TEST_CASE("config: a TOML file may name its preset, and errors name the file", "[config]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "config_test.toml";
  std::ofstream(path) << "preset = \"static\"\n[training]\nsteps = 77\n";
  Config config = preset_config("4drgs");
  apply_toml_file(config, path);
  CHECK(config.field.kind == AttenuationKind::constant);
  CHECK(config.training.steps == 77);

  std::ofstream(path) << "[training]\nsteps = \n";
  CHECK_THROWS_AS(apply_toml_file(config, path), BadInput);
  std::ofstream(path) << "preset = \"static\"\n[training]\nstep = 5\n";
  Config untouched = preset_config("4drgs");
  const std::string before = to_toml(untouched);
  const std::string message = message_of([&] { apply_toml_file(untouched, path); });
  CHECK(message.find(path.string()) != std::string::npos);
  CHECK(message.find("training.step: expected one of ") != std::string::npos);
  CHECK(message.find("clip_negative") != std::string::npos);     // the fields of the section
  CHECK(message.find("min_scale_voxels") == std::string::npos);  // and of no other
  CHECK(to_toml(untouched) == before);
  CHECK_THROWS_WITH(apply_toml_file(config, folder.path()), Catch::Contains("expected a file, found a folder"));
  std::filesystem::remove(path);
  CHECK_THROWS_AS(apply_toml_file(config, path), IoError);
}

TEST_CASE("config: decay is log-linear between its ends", "[config]") {
  CHECK(decayed({1e-2, 1e-4}, 0) == Approx(1e-2));
  CHECK(decayed({1e-2, 1e-4}, 0.5) == Approx(1e-3));
  CHECK(decayed({1e-2, 1e-4}, 2) == Approx(1e-4));
  CHECK(decayed({1, 0}, 0.25) == Approx(0.75));
}

TEST_CASE("config: an application's locale changes no text", "[config]") {
  struct Grouped : std::numpunct<char> {
    char do_thousands_sep() const override { return ','; }
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::string expected = to_toml(Config{});
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouped));
  const std::string found = to_toml(Config{});
  std::locale::global(before);
  CHECK(found == expected);
}

TEST_CASE("config: a bf16 network that no multiprocessor holds is refused", "[config]") {
  const std::string text = "[field]\nprecision = \"bf16\"\nwidth = 128\nhidden_layers = ";
  CHECK_NOTHROW(config_from_toml(text + "1", "text"));
  CHECK_THROWS_WITH(config_from_toml(text + "4", "text"),
                    Catch::Contains("text: field.precision: expected fp32, or a network that fits a multiprocessor's "
                                    "shared memory, found bf16 with 4 hidden layers of 128"));
}

TEST_CASE("config: text that nests without end is refused before it is parsed", "[config]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "deep.toml";
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  Config config;
  const auto refused = [&](const std::string& line, const std::string& expected) {
    CAPTURE(line.substr(0, 20));
    std::ofstream(path) << "preset = \"static\"\n\n" << line << '\n';
    test::require_error<BadInput>([&] { apply_toml_file(config, path); },
                                  {"deep.toml: line 3: expected " + expected, "found more"});
    CHECK_THROWS_AS(config_from_toml(line, "text"), BadInput);
  };
  refused(repeated("a.", 100000) + "a = 1", "a key of at most 32 dotted names");
  refused("[" + repeated("a.", 100000) + "a]", "a key of at most 32 dotted names");
  refused("x = {" + repeated("\"a\" . ", 100000) + "a = 1}", "a key of at most 32 dotted names");
  refused("a = " + repeated("[", 100000), "at most 32 arrays and inline tables");
  refused("a = " + repeated("{a = ", 100000) + "1", "at most 32 arrays and inline tables");
  test::require_error<BadInput>([&] { apply_setting(config, repeated("a.", 100000) + "a=1"); }, {"32 dotted names"});
  // What only looks like it: strings, comments, and the points of numbers.
  const std::string dots = repeated("[.", 100);
  CHECK_THROWS_WITH(config_from_toml("preset = \"" + dots + "\\\"" + dots + "\"", "text"),
                    Catch::Contains("preset: expected the name"));
  CHECK_THROWS_WITH(config_from_toml("preset = '" + dots + "'", "text"), Catch::Contains("preset: expected the name"));
  CHECK_THROWS_WITH(config_from_toml("preset = \"\"\"\n" + dots + "\"\"\"\"\"", "text"),
                    Catch::Contains("preset: expected the name"));
  CHECK_NOTHROW(config_from_toml("# " + dots + "\npreset = \"static\" # " + dots, "text"));
  CHECK_THROWS_WITH(config_from_toml("x = [" + repeated("0.5, ", 100) + "]", "text"), Catch::Contains("unknown name"));
}

TEST_CASE("config: text that the parser takes without looking is refused before it is parsed", "[config]") {
  const auto refused = [](const std::string& line, const std::string& expected) {
    CAPTURE(line);
    CHECK_THROWS_WITH(config_from_toml("preset = \"static\"\n" + line, "text"),
                      Catch::Contains("text: line 2: expected " + expected));
  };
  for (const char* header : {"[|training]", "[[=]]", "[[[a", "[[ [a", " \t[ .a]", "[\x01]", "[\n]"})
    refused(header, "the name of a table after [");
  for (const char* array : {"a = [}", "a = [1, \t}", "a = [[}}s", "a = [\"\", }"}) refused(array, "a value");
  for (const char* text : {"\u00b5 = 1", "a = \u00b5", "a = 1 \u00e9", "[\u00b5]", "\u00a0a = 1", "\xff"})
    refused(text, "ASCII outside of strings and comments");
  for (const char* text : {"a = 20\x01'\u00b5'", "a = 1'\u00b5", "a = [1, 1.\"\u00b5\"]", "a = x\"\u00b5\""})
    refused(text, "a quote only where a text or a name begins");
  refused("preset = \"\"\"a\\ \n \u00b5\"\"\"", "an ASCII character after a backslash");
  // What the parser itself refuses, and what it takes.
  for (const char* header : {"[", "[]", "[[]]", "[ [a]]", "[a", "[[ ", "a = [\n[|]]"})
    CHECK_THROWS_WITH(config_from_toml(header, "text"), Catch::Contains("expected TOML"));
  const std::string any = "# \u00b5\n x = [\n [\"\u00b5\"], ['''\n\u00b5'''],\n[\"\"\"\\\\\u00b5 \\ \n a\u00b5\"\"\"]]";
  CHECK_THROWS_WITH(config_from_toml(any, "text"), Catch::Contains("unknown name"));
  CHECK_THROWS_WITH(config_from_toml("'a'.'\u00b5'.\"c\"=[{b='x'},\"y\"]", "text"), Catch::Contains("unknown name"));
  CHECK_NOTHROW(config_from_toml("\xef\xbb\xbf[ training ]\nsteps = 5\n[field.grid3d]\n", "text"));
}

TEST_CASE("config: one setting is one line", "[config]") {
  Config config;
  for (const char* setting : {"training.steps=5\ntraining.seed=7", "training.steps=5\r\n"})
    test::require_error<BadInput>([&] { apply_setting(config, setting); }, {"expected one setting on one line"});
  CHECK(config.training.steps == Config{}.training.steps);
}

TEST_CASE("config: numbers that are no enumerators are refused", "[config]") {
  const auto refused = [](const std::function<void(Config&)>& change, const std::string& field) {
    Config config;
    change(config);
    test::require_error<BadInput>([&] { validate(config, "here"); },
                                  {"here: " + field + ": expected ", "found the number 99"});
    CHECK_THROWS_AS(to_toml(config), InvalidArgument);
  };
  refused([](Config& c) { c.field.kind = static_cast<AttenuationKind>(99); }, "field.kind");
  refused([](Config& c) { c.field.precision = static_cast<FieldPrecision>(99); }, "field.precision");
  refused([](Config& c) { c.gaussians.init = static_cast<InitialPoints>(99); }, "gaussians.init");
  refused([](Config& c) { c.super_resolution.target = static_cast<HighResolutionTarget>(99); },
          "super_resolution.target");
}
