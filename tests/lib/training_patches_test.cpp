// SPDX-License-Identifier: Apache-2.0
#include "network/training_patches.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/simulator.hpp"
#include "network/image_patches.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

/// Small patches, and pairs without noise, background or changes of brightness.
NetworkTrainingConfig plain_config() {
  NetworkTrainingConfig config;
  config.shape.scale = 2;
  config.batch = 8;
  config.patch_px = 12;
  config.vessel_brightness_low = config.vessel_brightness_high = 1;
  config.image_brightness_low = config.image_brightness_high = 1;
  config.blush_share = config.noise_low = config.noise_high = 0;
  config.seed = 3;
  return config;
}

Image random_image(int width_px, int height_px, float low, float high, std::uint32_t seed = 5) {
  return {width_px, height_px, random_values<float>(num_elements(width_px, height_px), low, high, seed)};
}

NetworkVessels vessels(std::string name) {
  return {std::move(name), generate_vessel_tree({.num_inlets = 1, .min_radius_mm = 0.5})};
}

NetworkSources mixed_sources() {
  NetworkSources sources;
  sources.images.push_back({"frames", {random_image(60, 50, -0.2f, 1), random_image(40, 70, 0, 2)}, {1, 2}});
  sources.vessels.push_back(vessels("tree"));
  return sources;
}

/// Largest |block mean of the target − measured|.
double misfit(const PatchBatch& batch, const NetworkTrainingConfig& config, double* mean_square = nullptr) {
  const int p = config.patch_px, s = config.shape.scale;
  const std::size_t patches = batch.input.size() / num_elements(p, p);
  REQUIRE(batch.input.size() == patches * num_elements(p, p));
  REQUIRE(batch.target.size() == patches * num_elements(p * s, p * s));
  double worst = 0, squares = 0;
  for (std::size_t i = 0; i < batch.input.size(); ++i) {
    const std::size_t column = i % p, row = i / p;  // rows of all patches, one below the other
    double sum = 0;
    for (int y = 0; y < s; ++y)
      for (int x = 0; x < s; ++x) sum += static_cast<double>(batch.target[(row * s + y) * p * s + column * s + x]);
    const double error = static_cast<double>(batch.input[i]) - sum / (s * s);
    worst = std::max(worst, std::abs(error));
    squares += error * error;
  }
  if (mean_square != nullptr) *mean_square = squares / static_cast<double>(batch.input.size());
  return worst;
}

bool same(const PatchBatch& a, const PatchBatch& b) { return a.input == b.input && a.target == b.target; }

std::vector<float> target_of(const PatchBatch& batch, const NetworkTrainingConfig& config, std::size_t i) {
  const std::size_t pixels = num_elements(config.patch_px, config.patch_px) * config.shape.scale * config.shape.scale;
  return {batch.target.begin() + static_cast<std::ptrdiff_t>(i * pixels),
          batch.target.begin() + static_cast<std::ptrdiff_t>((i + 1) * pixels)};
}

}  // namespace

TEST_CASE("training patches: without noise the measurement is the block mean of the truth", "[network]") {
  Context ctx = make_context();
  const NetworkSources sources = mixed_sources();
  for (const int scale : {2, 3, 5}) {
    NetworkTrainingConfig config = plain_config();
    config.shape.scale = scale;
    config.patch_px = 8;
    config.vessel_brightness_low = 0.3;
    config.blush_share = 0.7;
    TrainingPatches patches(ctx, config, sources);
    for (const int step : {1, 2, 3}) CHECK(misfit(patches.training(step), config) < 1e-6);
  }
}

TEST_CASE("training patches: a step is the same on any threads, after any other steps", "[network]") {
  const NetworkSources sources = mixed_sources();
  NetworkTrainingConfig config;  // with all there is
  config.patch_px = 6;
  config.batch = 6;
  Context one = make_context(1), two = make_context(2);
  TrainingPatches forward(one, config, sources), jumping(two, config, sources);
  std::map<int, PatchBatch> steps;
  for (int step = 1; step <= 8; ++step) steps[step] = forward.training(step);
  steps[300] = forward.training(300);
  for (const int step : {300, 5, 1, 8, 2, 5}) {
    CAPTURE(step);
    CHECK(same(jumping.training(step), steps[step]));
  }
  CHECK_FALSE(same(steps[1], steps[2]));
  config.seed = 1;
  CHECK_FALSE(same(TrainingPatches(one, config, sources).training(1), steps[1]));
}

TEST_CASE("training patches: sources are drawn by their shares, those held out never", "[network]") {
  NetworkSources sources = mixed_sources();
  // Told apart by their darkest pixel: vessels have 0 or more, in units of the brightest.
  sources.images = {{"bright", {random_image(50, 50, 0.9f, 1)}, {1}, 1},
                    {"dark", {random_image(50, 50, -1, 1)}, {1}, 3},
                    {"unused", {random_image(50, 50, -1000, 100)}, {1}, 0},
                    {"held out", {random_image(50, 50, -100, 1)}, {1}, 50, true}};
  sources.vessels[0].share = 1;
  sources.vessels.push_back(vessels("more"));
  sources.vessels.push_back(vessels("held out too"));
  sources.vessels.back().share = 50;
  sources.vessels.back().held_out = true;
  NetworkTrainingConfig config = plain_config();
  config.batch = 50;
  Context ctx = make_context();
  TrainingPatches patches(ctx, config, sources);
  CHECK(patches.held_out() == std::vector<std::string>{"held out", "held out too"});
  std::map<std::string, int> drawn;
  for (int step = 1; step <= 40; ++step) {
    const PatchBatch batch = patches.training(step);
    for (std::size_t i = 0; i < 50; ++i) {
      const std::vector<float> target = target_of(batch, config, i);
      const float darkest = *std::min_element(target.begin(), target.end());
      ++drawn[darkest < -2 ? "other" : darkest < -0.1f ? "dark" : darkest < 0.8f ? "vessels" : "bright"];
    }
  }
  CHECK(drawn["other"] == 0);
  // Of 2000 draws: standard deviations 17 to 22.
  CHECK(std::abs(drawn["bright"] - 2000 * 1 / 6) < 80);
  CHECK(std::abs(drawn["dark"] - 2000 * 3 / 6) < 90);
  CHECK(std::abs(drawn["vessels"] - 2000 * 2 / 6) < 80);
}

TEST_CASE("training patches: every binning, flip and quarter turn, anywhere in an image", "[network]") {
  constexpr int kWidth = 64, kHeight = 56;
  Image ramp{kWidth, kHeight, {}};
  for (int i = 0; i < kWidth * kHeight; ++i) ramp.values.push_back(static_cast<float>(i) - 500);
  NetworkTrainingConfig config = plain_config();
  config.batch = 300;
  NetworkSources sources;
  sources.images.push_back({"ramp", {ramp}, {1, 2, 7}});  // 7: does not fit
  Context ctx = make_context();
  TrainingPatches patches(ctx, config, sources);
  const double unit = ImagePatches(config, sources.images[0]).unit();
  const PatchBatch batch = patches.training(1);
  const std::size_t side = 24;
  std::set<std::pair<int, int>> steps;
  double lowest = 1e9, highest = -1e9;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::vector<float> target = target_of(batch, config, i);
    const auto value = [&](std::size_t row, std::size_t column) {
      return static_cast<double>(target[row * side + column]) * unit;
    };
    const int right = static_cast<int>(std::lround(value(0, 1) - value(0, 0))),
              down = static_cast<int>(std::lround(value(1, 0) - value(0, 0)));
    steps.insert({right, down});
    const double expected = value(0, 0) + right * (side - 1.0) + down * (side - 1.0);
    CHECK(value(side - 1, side - 1) == Approx(expected).margin(0.01));
    lowest = std::min(lowest, std::min(value(0, 0), value(side - 1, side - 1)));
    highest = std::max(highest, std::max(value(0, 0), value(side - 1, side - 1)));
  }
  std::set<std::pair<int, int>> expected;
  for (const int b : {1, 2})
    for (const int sign_a : {-1, 1})
      for (const int sign_b : {-1, 1}) {
        expected.insert({sign_a * b, sign_b * b * kWidth});
        expected.insert({sign_a * b * kWidth, sign_b * b});
      }
  CHECK(steps == expected);
  CHECK(lowest < -500 + 4 * kWidth);  // negative values stay
  CHECK(highest > kWidth * kHeight - 500 - 4 * kWidth);
}

TEST_CASE("training patches: a patch that shows nothing is drawn again", "[network]") {
  Image image{400, 400, std::vector<float>(160000, 0.25f)};
  for (int r = 0; r < 400; ++r)
    for (int c = 0; c < 200; ++c) image.at(r, c) = static_cast<float>((r * 7 + c * 3) % 11);
  NetworkSources sources;
  sources.images.push_back({"half", {image}});
  const NetworkTrainingConfig config = plain_config();
  Context ctx = make_context();
  TrainingPatches patches(ctx, config, sources);
  for (int step = 1; step <= 20; ++step) {
    const PatchBatch batch = patches.training(step);
    for (std::size_t i = 0; i < 8; ++i) {
      const std::vector<float> target = target_of(batch, config, i);
      CHECK(*std::min_element(target.begin(), target.end()) != *std::max_element(target.begin(), target.end()));
    }
  }
}

TEST_CASE("training patches: noise is on the measurement only, a smooth background on both", "[network]") {
  NetworkSources sources;
  sources.vessels.push_back(vessels("tree"));
  NetworkTrainingConfig config = plain_config();
  config.batch = 30;
  Context ctx = make_context();
  const PatchBatch plain = TrainingPatches(ctx, config, sources).training(7);
  config.noise_low = config.noise_high = 0.02;
  const PatchBatch noisy = TrainingPatches(ctx, config, sources).training(7);
  CHECK(noisy.target == plain.target);
  double mean_square = 0;
  misfit(noisy, config, &mean_square);
  CHECK(std::sqrt(mean_square) == Approx(0.02).epsilon(0.03));  // of 4320 pixels: ± 1 %

  config.noise_low = config.noise_high = 0;
  config.blush_share = 1;
  const PatchBatch blushing = TrainingPatches(ctx, config, sources).training(7);
  CHECK(misfit(blushing, config) < 1e-6);
  float least = 1, most = 0, steepest = 0;
  for (std::size_t i = 0; i < plain.target.size(); ++i) {
    const float blush = blushing.target[i] - plain.target[i];
    least = std::min(least, blush);
    most = std::max(most, blush);
    if (i % 24 > 0) steepest = std::max(steepest, std::abs(blush - (blushing.target[i - 1] - plain.target[i - 1])));
  }
  CHECK(least >= -1e-6f);
  CHECK(most <= static_cast<float>(config.blush) + 1e-6f);
  CHECK(most > 0.04f);
  CHECK(steepest < 0.02f);
  config.blush_share = 0.5;
  const PatchBatch half = TrainingPatches(ctx, config, sources).training(7);
  int with = 0;
  for (std::size_t i = 0; i < 30; ++i) with += target_of(half, config, i) != target_of(plain, config, i);
  CHECK(with > 5);
  CHECK(with < 25);
}

TEST_CASE("training patches: brightness is within its bounds, and of the source's own unit", "[network]") {
  NetworkSources sources;
  for (const float unit : {0.01f, 500.0f}) {
    Image image = random_image(40, 40, 0, unit);
    for (int i = 0; i < 40; i += 4)
      for (int k = 0; k < 40; k += 4) image.at(i, k) = unit;  // the brightest thousandth, in every patch
    sources.images.push_back({"unit " + std::to_string(unit), {image}});
  }
  NetworkTrainingConfig config = plain_config();
  config.image_brightness_low = 0.6;
  config.image_brightness_high = 1.6;
  config.batch = 200;
  Context ctx = make_context();
  const PatchBatch batch = TrainingPatches(ctx, config, sources).training(1);
  float least = 10, most = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::vector<float> target = target_of(batch, config, i);
    const float brightest = *std::max_element(target.begin(), target.end());
    least = std::min(least, brightest);
    most = std::max(most, brightest);
  }
  CHECK(least >= 0.599f);
  CHECK(least < 0.63f);
  CHECK(most <= 1.601f);
  CHECK(most > 1.5f);
}

TEST_CASE("training patches: what is held out is the same at every call and for every seed", "[network]") {
  NetworkSources sources = mixed_sources();
  sources.images.push_back({"large", {random_image(300, 200, -1, 1), random_image(200, 100, -1, 1)}, {1, 2}, 1, true});
  sources.images.push_back({"small", {random_image(30, 30, -1, 1)}, {1}, 1, true});
  sources.vessels.push_back(vessels("held"));
  sources.vessels.back().held_out = true;
  NetworkTrainingConfig config = plain_config();
  config.noise_low = config.noise_high = 0.3;
  config.blush_share = 1;
  config.image_brightness_high = config.vessel_brightness_high = 2;
  Context ctx = make_context();
  TrainingPatches patches(ctx, config, sources);
  config.seed = 77;
  TrainingPatches others(ctx, config, sources);
  REQUIRE(patches.held_out() == std::vector<std::string>{"large", "small", "held"});
  const std::size_t counts[] = {64, 1, 32};
  for (std::size_t source = 0; source < 3; ++source) {
    CAPTURE(source);
    const PatchBatch batch = patches.validation(source);
    patches.training(5);
    CHECK(batch.input.size() == counts[source] * 144);
    CHECK(same(patches.validation(source), batch));
    CHECK(same(others.validation(source), batch));
    double mean_square = 0;
    const double worst = misfit(batch, config, &mean_square);
    if (source < 2)
      CHECK(worst < 1e-6);
    else
      CHECK(std::sqrt(mean_square) == Approx(0.005).epsilon(0.05));
    std::set<std::vector<float>> distinct;
    for (std::size_t i = 0; i < counts[source]; ++i) distinct.insert(target_of(batch, config, i));
    CHECK(distinct.size() + (source == 2 ? 4 : 0) >= counts[source]);  // side by side; vessels may miss some
  }
  require_error<InvalidArgument>([&] { patches.validation(3); }, {"expected one of 3", "found 3"});
}

TEST_CASE("training patches: a source that cannot be used is refused by name", "[network]") {
  Context ctx = make_context();
  const auto refuse = [&](auto change, std::initializer_list<std::string_view> parts) {
    NetworkSources sources = mixed_sources();
    change(sources);
    require_error<InvalidArgument>([&] { TrainingPatches(ctx, plain_config(), sources); }, parts);
  };
  using S = NetworkSources;
  refuse([](S& s) { s = {}; }, {"not held out", "found none"});
  refuse([](S& s) { s.images[0].held_out = s.vessels[0].held_out = true; }, {"not held out"});
  refuse([](S& s) { s.images[0].share = s.vessels[0].share = 0; }, {"has a share"});
  refuse([](S& s) { s.images[0].share = -1; }, {"frames", "share", "-1"});
  refuse([](S& s) { s.vessels[0].share = NAN; }, {"tree", "share", "nan"});
  refuse([](S& s) { s.images[0].images.clear(); }, {"frames", "expected an image"});
  refuse([](S& s) { s.images[0].binnings.clear(); }, {"frames", "binnings"});
  refuse([](S& s) { s.images[0].binnings = {1, 0}; }, {"frames", "binnings", "found 0"});
  refuse([](S& s) { s.images[0].binnings = {1 << 30}; }, {"frames", "image 0", "expected at least 25769803776"});
  refuse([](S& s) { s.images[0].images[1] = random_image(23, 90, 0, 1); },
         {"frames", "image 1", "24 x 24", "found 23 x 90"});
  refuse([](S& s) { s.images[0].images[1].height_px = 71; }, {"frames", "image 1", "as many values as pixels"});
  refuse([](S& s) { s.images[0].images[1].width_px = -40; }, {"frames", "image 1", "as many values as pixels"});
  refuse([](S& s) { s.images[0].images[1].at(2, 3) = NAN; },
         {"frames", "image 1", "finite", "pixel (row 2, column 3)"});
  refuse([](S& s) { s.images[0].images[0].at(9, 0) = INFINITY; }, {"frames", "image 0", "finite", "inf"});
  refuse([](S& s) { std::fill_n(s.images[0].images[0].values.begin(), 3000, 4.0f); },
         {"frames", "image 0", "that differ", "4.0"});
  refuse(
      [](S& s) {
        for (Image& image : s.images[0].images)
          for (float& v : image.values) v = -std::abs(v);
      },
      {"frames", "a positive line integral"});
  refuse([](S& s) { s.images[0].held_out = true, s.images[0].images.clear(); }, {"frames", "expected an image"});
  refuse([](S& s) { s.vessels[0].tree = {}; }, {"tree"});
  refuse([](S& s) { s.vessels[0].tree = {{{{0, 0, 0}, 1, -1}, {{5, 0, 0}, 1, -1}}}; }, {"tree", "a projection shows"});
  refuse([](S& s) { s.vessels[0].tree.nodes[1].parent = 4; }, {"tree", "parent"});
  refuse([](S& s) { s.vessels[0].tree.nodes[3].position_mm.x = 700; }, {"tree", "isocentre", "found one at 70"});
  refuse([](S& s) { s.vessels[0].tree.nodes[3].position_mm.x = NAN; }, {"tree"});
}

TEST_CASE("training patches: a real run and a real tree", "[network][real]") {
  const std::filesystem::path folder = std::filesystem::path(DSASRGS_SHARED_DATA) / "network-training";
  if (!std::filesystem::exists(folder)) {
    WARN("Skipped: there is no " << folder);
    return;
  }
  NetworkSources sources;
  sources.images.push_back({"dsa-2d-head", {}, {1, 2}});
  for (const char* file : {"025.png", "030.png"}) {
    const Image grey = read_png(folder / "dsa-2d-head" / file);
    Image image{790, grey.height_px, {}};  // the columns that show something
    for (int r = 0; r < grey.height_px; ++r)
      for (int c = 117; c <= 906; ++c) image.values.push_back((164 - grey.at(r, c)) * 0.01f);
    sources.images[0].images.push_back(std::move(image));
  }
  NetworkVessels tree{"BG0019", read_swc(folder / "trees/BG0019.swc")};
  rotate_vessels(tree.tree, {{1, 0, 0}, {0, 0, -1}, {0, 1, 0}});
  smooth_vessels(tree.tree, 10);
  center_vessels(tree.tree);
  sources.vessels.push_back(std::move(tree));
  Context ctx = make_context();
  const NetworkTrainingConfig config;
  TrainingPatches patches(ctx, config, sources);
  for (const int step : {1, 2, 3000}) {
    const PatchBatch batch = patches.training(step);
    REQUIRE(batch.input.size() == 12 * 48 * 48);
    REQUIRE(batch.target.size() == 12 * 192 * 192);
    const auto [darkest, brightest] = std::minmax_element(batch.target.begin(), batch.target.end());
    CHECK(*darkest > -2);
    CHECK(*brightest > 0.3f);
    CHECK(*brightest < 8);
  }
}
