// SPDX-License-Identifier: Apache-2.0
// Training on views that a model has rendered: the pairs, and the trainer of a network that reads the render.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "network/training_patches.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/network_file.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

/// Without changes of brightness.
NetworkTrainingConfig plain_config(int scale = 2) {
  NetworkTrainingConfig config;
  config.shape = {scale, 4, 1, true, true};
  config.steps = 6;
  config.batch = 6;
  config.patch_px = 8;
  config.warm_up = 2;
  config.image_brightness_low = config.image_brightness_high = 1;
  config.seed = 3;
  return config;
}

Image pooled(const Image& fine, int scale) {
  Image image{fine.width_px / scale, fine.height_px / scale, {}};
  for (int row = 0; row < image.height_px; ++row)
    for (int column = 0; column < image.width_px; ++column) {
      double sum = 0;
      for (int i = 0; i < scale * scale; ++i)
        sum += static_cast<double>(fine.at(row * scale + i / scale, column * scale + i % scale));
      image.values.push_back(static_cast<float>(sum / (scale * scale)));
    }
  return image;
}

/// The measurement is the truth's block mean, the render `factor` times the truth, pixel for pixel.
RenderedView view_of(Image truth, int scale, float factor = 0.5f) {
  Image rendered = truth;
  for (float& v : rendered.values) v *= factor;
  return {pooled(truth, scale), std::move(rendered), std::move(truth)};
}
Image random_image(int width_px, int height_px, std::uint32_t seed) {
  return {width_px, height_px, random_values<float>(num_elements(width_px, height_px), -0.3f, 1.7f, seed)};
}
NetworkRenders renders(std::string name, int scale, float factor = 0.5f, std::uint32_t seed = 5) {
  return {std::move(name),
          {view_of(random_image(30 * scale, 26 * scale, seed), scale, factor),
           view_of(random_image(17 * scale, 40 * scale, seed + 1), scale, factor)}};
}

/// Pair i of a batch, its render put together again from the channels.
struct Patch {
  Image measured, rendered, target;
};
Patch patch_of(const PatchBatch& batch, const NetworkTrainingConfig& config, std::size_t i) {
  const int p = config.patch_px, s = config.shape.scale;
  const auto pixels = num_elements(p, p), fine = num_elements(p * s, p * s);
  const float* input = batch.input.data() + i * (pixels + fine);
  Patch patch{{p, p, {input, input + pixels}}, {p * s, p * s, std::vector<float>(fine)}, {p * s, p * s, {}}};
  for (int y = 0; y < p * s; ++y)
    for (int x = 0; x < p * s; ++x) {
      const int channel = y % s * s + x % s;
      patch.rendered.at(y, x) =
          input[pixels + static_cast<std::size_t>(channel) * pixels + static_cast<std::size_t>(y / s * p + x / s)];
    }
  const auto first = batch.target.begin() + static_cast<std::ptrdiff_t>(i * fine);
  patch.target.values.assign(first, first + static_cast<std::ptrdiff_t>(fine));
  return patch;
}
std::size_t patches_in(const PatchBatch& batch, const NetworkTrainingConfig& config) {
  const std::size_t n =
      batch.target.size() / num_elements(config.patch_px, config.patch_px) / config.shape.scale / config.shape.scale;
  REQUIRE(batch.input.size() ==
          n * num_elements(config.patch_px, config.patch_px) * static_cast<std::size_t>(config.shape.inputs()));
  return n;
}
void require_aligned(const PatchBatch& batch, const NetworkTrainingConfig& config, float factor = 0.5f) {
  for (std::size_t i = 0; i < patches_in(batch, config); ++i) {
    const Patch patch = patch_of(batch, config, i);
    std::vector<float> expected = patch.target.values;
    for (float& v : expected) v *= factor;
    REQUIRE(patch.rendered.values == expected);
    REQUIRE(max_difference(pooled(patch.target, config.shape.scale).values, patch.measured.values) < 1e-6);
  }
}

bool same(const PatchBatch& a, const PatchBatch& b) { return a.input == b.input && a.target == b.target; }

/// A few smooth ridges; the render has lost the thin ones, which the measurement still shows.
NetworkRenders ridges(std::string name, std::uint32_t seed) {
  NetworkRenders source{std::move(name), {}};
  const std::vector<double> numbers = random_values<double>(64, 0, 1, seed);
  for (std::size_t view = 0; view < 2; ++view) {
    Image thick{64, 48, std::vector<float>(64 * 48)}, all = thick;
    for (std::size_t ridge = 0; ridge < 8; ++ridge) {
      const double* n = numbers.data() + view * 32 + ridge * 4;
      const double angle = 3.1416 * n[0], radius = ridge % 2 == 0 ? 4 : 1.5;
      for (int row = 0; row < 48; ++row)
        for (int column = 0; column < 64; ++column) {
          const double across = (row - 24) * std::cos(angle) - (column - 32) * std::sin(angle) - 40 * (n[1] - 0.5);
          const auto value = static_cast<float>(std::exp(-across * across / (radius * radius)));
          all.at(row, column) += value;
          if (ridge % 2 == 0) thick.at(row, column) += value;
        }
    }
    source.views.push_back({pooled(all, 2), std::move(thick), std::move(all)});
  }
  return source;
}

}  // namespace

TEST_CASE("render patches: measurement, render and truth are of one place, however they are turned", "[network]") {
  Context ctx = make_context();
  for (const int scale : {2, 3}) {
    NetworkTrainingConfig config = plain_config(scale);
    config.image_brightness_low = 0.5;
    config.image_brightness_high = 2;
    NetworkSources sources;
    sources.renders.push_back(renders("views", scale));
    TrainingPatches patches(ctx, config, sources), again(ctx, config, sources);
    for (const int step : {1, 2, 3}) {
      const PatchBatch batch = patches.training(step);
      CHECK(patches_in(batch, config) == 6);
      require_aligned(batch, config);
      CHECK_FALSE(same(batch, patches.training(step + 1)));
    }
    CHECK(same(again.training(3), patches.training(3)));
  }
}

TEST_CASE("render patches: every flip and quarter turn, anywhere in a view, in the source's unit", "[network]") {
  Image ramp{64, 48, {}};
  for (int i = 0; i < 64 * 48; ++i) ramp.values.push_back(static_cast<float>(i));
  NetworkTrainingConfig config = plain_config();
  config.batch = 200;
  Context ctx = make_context();
  NetworkSources sources;
  sources.renders.push_back({"ramp", {view_of(ramp, 2)}});
  const PatchBatch batch = TrainingPatches(ctx, config, sources).training(1);
  std::vector<float> measured = sources.renders[0].views[0].measured.values;
  std::sort(measured.begin(), measured.end());
  std::set<std::pair<int, int>> steps;
  double lowest = 1e9, highest = 0, unit = 0;
  int below = 0, right_of = 0;  // the diagonal
  for (std::size_t i = 0; i < 200; ++i) {
    const Patch patch = patch_of(batch, config, i);
    const double right = static_cast<double>(patch.target.at(0, 1)) - static_cast<double>(patch.target.at(0, 0)),
                 down = static_cast<double>(patch.target.at(1, 0)) - static_cast<double>(patch.target.at(0, 0));
    unit = 65 / (std::abs(right) + std::abs(down));
    steps.insert({static_cast<int>(std::lround(right * unit)), static_cast<int>(std::lround(down * unit))});
    double first = 1e9;  // of the ramp: where the patch begins
    for (const float v : patch.target.values) {
      first = std::min(first, static_cast<double>(v) * unit);
      highest = std::max(highest, static_cast<double>(v) * unit);
    }
    lowest = std::min(lowest, first);
    const int place = static_cast<int>(std::lround(first));
    below = std::max(below, place / 64 - place % 64);
    right_of = std::max(right_of, place % 64 - place / 64);
  }
  CHECK((unit > static_cast<double>(measured[measured.size() * 99 / 100]) &&
         unit <= 1.001 * static_cast<double>(measured.back())));
  std::set<std::pair<int, int>> expected;
  for (const int a : {-1, 1})
    for (const int b : {-64, 64}) {
      expected.insert({a, b});
      expected.insert({b, a});
    }
  CHECK(steps == expected);
  CHECK(lowest < 4 * 64);
  CHECK(highest > 64 * 48 - 4 * 64);
  CHECK(below > 20);     // of 32
  CHECK(right_of > 36);  // of 48
}

TEST_CASE("render patches: sources are drawn by their shares, those held out never", "[network]") {
  NetworkSources sources;
  sources.renders = {renders("often", 2, 0.5f), renders("seldom", 2, 2, 9), renders("kept", 2, 4, 11)};
  sources.renders[0].share = 3;
  sources.renders[2].held_out = true;
  sources.renders[2].share = 100;
  NetworkTrainingConfig config = plain_config();
  config.batch = 200;
  Context ctx = make_context();
  TrainingPatches patches(ctx, config, sources);
  const PatchBatch batch = patches.training(1);
  int often = 0, seldom = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const Patch patch = patch_of(batch, config, i);
    const float factor = patch.rendered.values[0] / patch.target.values[0];
    often += factor == 0.5f;
    seldom += factor == 2.0f;
  }
  CHECK(often + seldom == 200);
  CHECK(std::abs(often - 150) < 25);  // standard deviation 6
  CHECK(patches.held_out() == std::vector<std::string>{"kept"});
  const PatchBatch held_out = patches.validation(0);
  CHECK(patches_in(held_out, config) == 3 * 3 + 2 * 5);  // side by side
  require_aligned(held_out, config, 4);
  patches.training(4);
  CHECK(same(patches.validation(0), held_out));
  config.seed = 8;
  config.image_brightness_high = 2;
  CHECK(same(TrainingPatches(ctx, config, sources).validation(0), held_out));
  require_error<InvalidArgument>([&] { patches.validation(1); }, {"expected one of 1", "found 1"});
}

TEST_CASE("render patches: a source that cannot be used is refused by name", "[network]") {
  Context ctx = make_context();
  const auto refuse = [&](auto change, std::initializer_list<std::string_view> parts, bool reads_render = true) {
    NetworkSources sources;
    sources.renders.push_back(renders("views", 2));
    change(sources);
    NetworkTrainingConfig config = plain_config();
    config.shape.reads_render = reads_render;
    require_error<InvalidArgument>([&] { TrainingPatches(ctx, config, sources); }, parts);
  };
  using S = NetworkSources;
  refuse([](S&) {}, {"views", "expected a network that reads the render"}, false);
  refuse(
      [](S& s) {
        s.images.push_back({"frames", {random_image(40, 40, 1)}});
      },
      {"source frames", "expected renders alone"});
  refuse([](S& s) { s.vessels.push_back({"tree", {}}); }, {"source tree", "expected renders alone"});
  refuse([](S& s) { s.renders.clear(); }, {"not held out", "found none"});
  refuse([](S& s) { s.renders[0].held_out = true; }, {"not held out", "found none"});
  refuse([](S& s) { s.renders[0].share = -1; }, {"views", "share", "-1"});
  refuse([](S& s) { s.renders[0].views.clear(); }, {"views", "expected a view"});
  const char* sizes = "view 1: expected render and truth 2 times finer";
  refuse([](S& s) { s.renders[0].views[1].rendered = random_image(17, 40, 1); }, {"views", sizes});
  refuse([](S& s) { s.renders[0].views[1].truth = random_image(34, 78, 1); }, {"views", sizes});
  refuse([](S& s) { s.renders[0].views[1].measured.values.pop_back(); }, {"views", sizes});
  refuse([](S& s) { s.renders[0].views[1] = view_of(random_image(51, 120, 1), 3); }, {"views", sizes});
  refuse([](S& s) { s.renders[0].views[0] = view_of(random_image(14, 60, 1), 2); },
         {"views", "view 0: expected at least 8 measured pixels", "7 x 30"});
  for (Image RenderedView::*image : {&RenderedView::measured, &RenderedView::rendered, &RenderedView::truth})
    refuse([&](S& s) { (s.renders[0].views[1].*image).at(2, 3) = NAN; },
           {"views", "view 1", "finite", "pixel (row 2, column 3)"});
  refuse(
      [](S& s) {
        for (RenderedView& v : s.renders[0].views) std::fill(v.measured.values.begin(), v.measured.values.end(), -1.0f);
      },
      {"views", "a positive line integral"});
}

TEST_CASE("network trainer: with renders the loss of the first step is the render's, by hand", "[network_trainer]") {
  Context ctx = make_context();
  NetworkSources sources;
  sources.renders = {renders("views", 2), renders("kept", 2, 2, 9)};
  sources.renders[1].held_out = true;
  const NetworkTrainingConfig config = plain_config();
  NetworkTrainer trainer(ctx, config, sources);
  const NetworkValidation validation = trainer.validation().at(0);
  TrainingPatches patches(ctx, config, sources);
  const auto moments = [&](const PatchBatch& batch) {
    double magnitude = 0, squares = 0, count = 0;
    for (std::size_t i = 0; i < patches_in(batch, config); ++i) {
      const Patch p = patch_of(batch, config, i);
      for (std::size_t k = 0; k < p.target.values.size(); ++k, ++count) {
        const double e = static_cast<double>(p.rendered.values[k]) - static_cast<double>(p.target.values[k]);
        magnitude += std::abs(e);
        squares += e * e;
      }
    }
    return std::pair{magnitude / count, squares / count};
  };
  CHECK(validation.source == "kept");
  CHECK(validation.psnr_db == validation.base_db);
  CHECK(validation.base_db == Approx(-10 * std::log10(moments(patches.validation(0)).second)).epsilon(1e-5));
  CHECK(trainer.step().l1 == Approx(moments(patches.training(1)).first).epsilon(1e-5));
}

TEST_CASE("network trainer: with renders it goes on with the same bits, and with no other renders",
          "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = make_context(), other = make_context(1);
  NetworkSources sources;
  sources.renders.push_back(renders("views", 2));
  NetworkTrainer whole(ctx, plain_config(), sources);
  for (int i = 0; i < 3; ++i) whole.step();
  whole.save_checkpoint(folder / "at3.h5");
  NetworkTrainer resumed = NetworkTrainer::resume(other, sources, folder / "at3.h5");
  CHECK(resumed.config() == plain_config());
  while (!whole.finished()) CHECK(whole.step().l1 == resumed.step().l1);
  whole.save_network(folder / "whole.h5", "n", "t");
  resumed.save_network(folder / "resumed.h5", "n", "t");
  CHECK(read_bytes(folder / "whole.h5") == read_bytes(folder / "resumed.h5"));
  const SuperResolver resolver = SuperResolver::open(ctx, folder / "whole.h5");
  CHECK(resolver.facts().shape == plain_config().shape);
  CHECK(resolver.facts().contrast.high > 0.5);
  for (const auto& change : std::vector<std::function<void(NetworkSources&)>>{
           [](auto& s) { s.renders[0].name = "others"; }, [](auto& s) { s.renders[0].share = 2; },
           [](auto& s) { s.renders[0].views.pop_back(); },
           [](auto& s) { s.renders[0].views[1].measured.values[7] += 0.01f; },
           [](auto& s) { s.renders[0].views[1].rendered.values[7] += 0.01f; },
           [](auto& s) { s.renders[0].views[1].truth.values[7] += 0.01f; }}) {
    NetworkSources others = sources;
    change(others);
    require_error<BadInput>([&] { NetworkTrainer::resume(ctx, others, folder / "at3.h5"); },
                            {"at3.h5: attribute sources: expected the sources that training began with"});
  }
  // Fine-tuning: what the network reads is the file's.
  NetworkTrainingConfig config = plain_config();
  config.shape.reads_render = false;
  const NetworkTrainer tuned = NetworkTrainer::fine_tune(ctx, config, sources, folder / "whole.h5");
  CHECK(tuned.config().shape == plain_config().shape);
}

TEST_CASE("network trainer: a network that reads the render learns what the measurement adds",
          "[network_trainer][long]") {
  Context ctx = make_context();
  NetworkSources sources;
  sources.renders = {ridges("views", 1), ridges("kept", 2)};
  sources.renders[1].held_out = true;
  NetworkTrainingConfig config = plain_config();
  config.shape = {2, 8, 1, false, true};
  config.steps = 150;
  config.batch = 8;
  config.patch_px = 12;
  config.learning_rate = 5e-3;
  config.warm_up = 15;
  NetworkTrainer trainer(ctx, config, sources);
  while (!trainer.finished()) trainer.step();
  const NetworkValidation v = trainer.validation().at(0);
  INFO(v.psnr_db << " dB, the render " << v.base_db);
  CHECK(v.psnr_db > v.base_db + 3);
}
