// SPDX-License-Identifier: Apache-2.0
// Training of a super-resolution network.
#include "dsasrgs/network_trainer.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/resample.hpp"
#include "network/network_training.hpp"
#include "network/training_patches.hpp"
#include "support/context.hpp"
#include "support/network_file.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

/// Projections of bent cylinders, and a little noise.
Image lines(int width, int height, std::uint32_t seed) {
  Image image{width, height, test::random_values<float>(static_cast<std::size_t>(width * height), -0.01f, 0.01f, seed)};
  const std::vector<double> numbers = test::random_values<double>(24, 0, 1, seed + 100);
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      for (std::size_t line = 0; line < 6; ++line) {
        const double angle = std::numbers::pi * numbers[4 * line], bend = 4 * numbers[4 * line + 1];
        const double along = column * std::cos(angle) + row * std::sin(angle),
                     across = row * std::cos(angle) - column * std::sin(angle) - 60 * (numbers[4 * line + 2] - 0.5) +
                              bend * std::sin(along / 9),
                     radius = 1.2 + 2 * numbers[4 * line + 3];
        image.at(row, column) += static_cast<float>(std::sqrt(std::fmax(0, 1 - across * across / (radius * radius))));
      }
  return image;
}

NetworkTrainingConfig small_config(int steps) {
  NetworkTrainingConfig config;
  config.shape = {2, 4, 2, true};
  config.steps = steps;
  config.batch = 4;
  config.patch_px = 12;
  config.learning_rate = 5e-3;
  config.warm_up = 3;
  config.seed = 11;
  return config;
}
NetworkSources frames() {
  NetworkSources sources;
  sources.images.push_back({"frames", {lines(60, 50, 1), lines(40, 70, 2)}, {1, 1}});
  sources.images.push_back({"kept frames", {lines(50, 50, 3)}, {1}, 1, true});
  return sources;
}
/// With simulated vessels too.
NetworkSources mixed_sources() {
  NetworkSources sources = frames();
  VesselTree tree;
  tree.nodes = {{{0, 0, -20}, 3.0, -1}, {{2, 1, 0}, 2.6, 0}, {{10, 8, 14}, 1.8, 1}, {{-10, -4, 16}, 1.8, 1}};
  sources.vessels.push_back({"tree", tree});
  return sources;
}

NetworkTrainingConfig changed(const std::function<void(NetworkTrainingConfig&)>& change) {
  NetworkTrainingConfig config = small_config(10);
  change(config);
  return config;
}

}  // namespace

TEST_CASE("network trainer: the thread count changes no bit", "[network_trainer]") {
  const TemporaryFolder folder;
  const NetworkSources sources = mixed_sources();
  for (const int threads : {1, 2}) {
    Context ctx = test::make_context(threads);
    NetworkTrainer trainer(ctx, small_config(4), sources);
    for (int i = 0; i < 3; ++i) trainer.step();
    trainer.save_checkpoint(folder / ("checkpoint" + std::to_string(threads)));
    trainer.step();
    trainer.save_network(folder / ("network" + std::to_string(threads)), "n", "t");
  }
  for (const std::string name : {"checkpoint", "network"}) {
    CHECK_FALSE(test::read_bytes(folder / (name + "1")).empty());
    CHECK(test::read_bytes(folder / (name + "1")) == test::read_bytes(folder / (name + "2")));
  }
}

TEST_CASE("network trainer: resumed, it goes on with the bits of a run without a stop", "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = mixed_sources();
  NetworkTrainer whole(ctx, small_config(7), sources);
  for (int i = 0; i < 3; ++i) whole.step();
  whole.save_checkpoint(folder / "at3.h5");
  NetworkTrainer resumed = NetworkTrainer::resume(ctx, sources, folder / "at3.h5");
  CHECK(resumed.steps_done() == 3);
  CHECK(resumed.config() == small_config(7));
  resumed.save_checkpoint(folder / "at3_again.h5");
  CHECK(test::read_bytes(folder / "at3_again.h5") == test::read_bytes(folder / "at3.h5"));
  for (int i = 0; i < 3; ++i) {
    const NetworkStepReport a = whole.step(), b = resumed.step();
    CHECK((a.step == b.step && a.step == 4 + i && b.steps == 7));
    CHECK((a.l1 == b.l1 && a.error == b.error && a.learning_rate == b.learning_rate));
  }
  whole.save_checkpoint(folder / "whole6.h5");
  resumed.save_checkpoint(folder / "resumed6.h5");
  CHECK(test::read_bytes(folder / "whole6.h5") == test::read_bytes(folder / "resumed6.h5"));
  CHECK(test::read_bytes(folder / "whole6.h5") != test::read_bytes(folder / "at3.h5"));
  whole.step();
  resumed.step();
  whole.save_network(folder / "whole.h5", "n", "t");
  resumed.save_network(folder / "resumed.h5", "n", "t");
  CHECK(test::read_bytes(folder / "whole.h5") == test::read_bytes(folder / "resumed.h5"));
}

TEST_CASE("network trainer: the rate rises, then falls to 0, and there is no step more", "[network_trainer]") {
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  NetworkTrainer trainer(ctx, small_config(7), sources);
  for (int step = 1; step <= 7; ++step) {
    CHECK_FALSE(trainer.finished());
    const NetworkStepReport r = trainer.step();
    const double expected = step <= 3 ? step / 3.0 : 0.5 + 0.5 * std::cos(std::numbers::pi * (step - 3) / 4);
    CHECK((r.step == step && r.steps == 7 && trainer.steps_done() == step));
    CHECK(r.learning_rate == Approx(5e-3 * expected).margin(1e-9));
  }
  CHECK(trainer.finished());
  require_error<InvalidArgument>([&] { trainer.step(); }, {"NetworkTrainer::step", "found all 7 done"});
  NetworkTrainer cold(ctx, changed([](auto& c) { c.warm_up = 0; }), sources);
  CHECK(cold.step().learning_rate == Approx(5e-3 * (0.5 + 0.5 * std::cos(std::numbers::pi / 10))));
}

TEST_CASE("network trainer: the loss of the first step is bicubic's, by hand", "[network_trainer]") {
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  const NetworkTrainingConfig config = small_config(5);
  NetworkTrainer trainer(ctx, config, sources);
  const std::vector<NetworkValidation> validation = trainer.validation();
  REQUIRE(validation.size() == 1);
  CHECK(validation[0].source == "kept frames");
  CHECK(validation[0].psnr_db == validation[0].base_db);
  CHECK(validation[0].expected_l1 == Approx(std::exp(-4.0)));
  // The batches of the trainer are those of its patches.
  TrainingPatches patches(ctx, config, sources);
  const auto errors = [&](const PatchBatch& batch) {
    std::vector<double> all;
    for (std::size_t n = 0; n < batch.input.size() / 144; ++n) {
      const std::vector<float> fine = upsample_image(std::span(batch.input).subspan(n * 144, 144), {12, 12, 1, 1}, 2);
      for (std::size_t i = 0; i < fine.size(); ++i)
        all.push_back(std::abs(static_cast<double>(fine[i]) - static_cast<double>(batch.target[n * 576 + i])));
    }
    return all;
  };
  double sum = 0, fit = 0, squares = 0, magnitude = 0;
  const std::vector<double> first = errors(patches.training(1)), kept = errors(patches.validation(0));
  for (const double e : first) sum += e, fit += e * std::exp(4.0) - 4;
  for (const double e : kept) squares += e * e, magnitude += e;
  const auto n = static_cast<double>(first.size()), m = static_cast<double>(kept.size());
  const NetworkStepReport r = trainer.step();
  CHECK(r.l1 == Approx(sum / n).epsilon(1e-5));
  CHECK(r.error == Approx(fit / n).epsilon(1e-5));
  CHECK(validation[0].base_db == Approx(-10 * std::log10(squares / m)).epsilon(1e-5));
  CHECK(validation[0].l1 == Approx(magnitude / m).epsilon(1e-5));
}

TEST_CASE("network trainer: it learns", "[network_trainer][long]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  NetworkTrainingConfig config = small_config(250);
  config.shape.channels = 8;
  config.batch = 8;
  config.warm_up = 25;
  config.image_brightness_low = config.image_brightness_high = 1;
  NetworkTrainer trainer(ctx, config, sources);
  double early = 0, late = 0;
  while (!trainer.finished()) {
    const NetworkStepReport r = trainer.step();
    if (r.step <= 40) early += r.l1;
    if (r.step > 210) late += r.l1;
  }
  CHECK(late < 0.93 * early);
  const NetworkValidation v = trainer.validation().at(0);
  CHECK(v.psnr_db > v.base_db + 0.2);
  CHECK((v.expected_l1 > 0.5 * v.l1 && v.expected_l1 < 2 * v.l1));
  trainer.save_network(folder / "network.h5", "lines ×2", "lines on paper");
  const SuperResolver resolver = SuperResolver::open(ctx, folder / "network.h5");
  CHECK(resolver.facts().name == "lines ×2");
  CHECK(resolver.facts().trained_on == "lines on paper");
  CHECK(network_training_from_toml(resolver.facts().training, "here") == config);
  // What it remembers of its patches is what can be told of them.
  TrainingPatches patches(ctx, config, sources);
  std::vector<double> noise, contrast, sharpness;
  for (int step = 1; step <= 250; ++step) {
    const PatchBatch batch = patches.training(step);
    for (std::size_t n = 0; n < 8; ++n) {
      const ImageTraits t = image_traits(std::span(batch.input).subspan(n * 144, 144), 12, 12, 1);
      noise.push_back(t.noise);
      contrast.push_back(t.contrast);
      if (t.contrast >= 0.2) sharpness.push_back(t.sharpness);
    }
  }
  const auto check = [](const TrainedRange& range, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto rank = [&](double share) {
      return values[static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()))) - 1];
    };
    CHECK(range.low == rank(0.01));
    CHECK(range.high == rank(0.99));
    CHECK(range.low < range.high);
  };
  check(resolver.facts().noise, noise);
  check(resolver.facts().contrast, contrast);
  check(resolver.facts().sharpness, sharpness);
  CHECK(sharpness.size() < noise.size());
}

TEST_CASE("network trainer: fine-tuning begins with the network that is there", "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  const NetworkShape shape{3, 2, 1, false};
  write_network(folder / "first.h5", test::small_network(shape));
  const NetworkFile first = read_network(folder / "first.h5");
  NetworkTrainer trainer = NetworkTrainer::fine_tune(ctx, small_config(5), sources, folder / "first.h5");
  CHECK(trainer.config() == changed([&](auto& c) { c.shape = shape, c.steps = 5; }));
  trainer.save_network(folder / "same.h5", "n", "t");
  const NetworkFile same = read_network(folder / "same.h5");
  CHECK(same.facts.fingerprint == first.facts.fingerprint);
  CHECK(same.facts.training.find("# begun with network " + first.facts.fingerprint) != std::string::npos);
  CHECK(same.facts.noise.high == 0);  // nothing was trained on
  CHECK(SuperResolver::open(ctx, folder / "same.h5").unfamiliar({10, 10, 1}).empty());
  CHECK(trainer.step().error == 0);
  CHECK(trainer.validation().at(0).expected_l1 == 0);
  trainer.save_checkpoint(folder / "checkpoint.h5");
  NetworkTrainer resumed = NetworkTrainer::resume(ctx, sources, folder / "checkpoint.h5");
  resumed.save_network(folder / "moved.h5", "n", "t");
  const NetworkFile moved = read_network(folder / "moved.h5");
  CHECK(moved.facts.shape == shape);
  CHECK(moved.parameters != first.parameters);
  CHECK(moved.facts.training == same.facts.training);
  CHECK(network_training_from_toml(moved.facts.training, "here") == trainer.config());
  require_error<IoError>([&] { NetworkTrainer::fine_tune(ctx, small_config(5), sources, folder / "none.h5"); },
                         {"none.h5"});
  require_error<BadInput>([&] { NetworkTrainer::fine_tune(ctx, small_config(5), sources, folder / "checkpoint.h5"); },
                          {"checkpoint.h5: ", "format"});
}

TEST_CASE("network trainer: a checkpoint goes on with no other sources", "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = mixed_sources();
  NetworkTrainer(ctx, small_config(5), sources).save_checkpoint(folder / "checkpoint.h5");
  NetworkTrainer::resume(ctx, sources, folder / "checkpoint.h5");
  for (const auto& change : std::vector<std::function<void(NetworkSources&)>>{
           [](auto& s) { s.images[0].name = "others"; }, [](auto& s) { s.images[0].images[1].values[77] += 0.01f; },
           [](auto& s) { s.images[0].images.pop_back(); }, [](auto& s) { s.images[0].share = 2; },
           [](auto& s) { s.images[0].binnings.pop_back(); }, [](auto& s) { s.images[1].held_out = false; },
           [](auto& s) { s.images.pop_back(); }, [](auto& s) { std::swap(s.images[0], s.images[1]); },
           [](auto& s) { s.vessels[0].tree.nodes[2].radius_mm = 2; },
           [](auto& s) { s.vessels[0].tree.nodes[2].position_mm.x += 1; }, [](auto& s) { s.vessels[0].share = 3; },
           [](auto& s) { s.vessels.clear(); }}) {
    NetworkSources other = sources;
    change(other);
    require_error<BadInput>([&] { NetworkTrainer::resume(ctx, other, folder / "checkpoint.h5"); },
                            {"checkpoint.h5: attribute sources: expected the sources that training began with"});
  }
}

TEST_CASE("network trainer: checkpoints that cannot be", "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  NetworkTrainer trainer(ctx, small_config(5), sources);
  trainer.step();
  trainer.save_checkpoint(folder / "good.h5");
  const NetworkTraining good = read_network_checkpoint(folder / "good.h5");
  CHECK(good.step == 1);
  CHECK(good.traits.size() == 4);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [&](const std::function<void(NetworkTraining&)>& change, std::string_view field) {
    NetworkTraining bad = good;
    change(bad);
    write_network_checkpoint(folder / "bad.h5", bad);
    require_error<BadInput>([&] { NetworkTrainer::resume(ctx, sources, folder / "bad.h5"); },
                            {"bad.h5", field, "expected"});
  };
  refused([](auto& t) { t.step = 6; }, "attribute step: expected 0 to 5");
  refused([](auto& t) { t.step = -1; }, "attribute step");
  refused([](auto& t) { t.config.batch = 0; }, "(attribute training): batch");
  refused([](auto& t) { t.config.shape.channels = 256; }, "/parameters: expected shape");
  refused([](auto& t) { t.first_moment.pop_back(); }, "/first_moment: expected shape");
  refused([&](auto& t) { t.parameters[3] = nan; }, "/parameters: expected finite");
  refused([&](auto& t) { t.second_moment[3] = std::numeric_limits<float>::infinity(); },
          "/second_moment: expected finite");
  refused([&](auto& t) { t.traits[1].noise = static_cast<double>(nan); }, "/traits: expected finite");
  write_network(folder / "network.h5", test::small_network());
  require_error<BadInput>([&] { NetworkTrainer::resume(ctx, sources, folder / "network.h5"); },
                          {"network.h5: ", "format"});
  test::write_bytes(folder / "cut.h5", test::read_bytes(folder / "good.h5").substr(0, 3000));
  require_error<Error>([&] { NetworkTrainer::resume(ctx, sources, folder / "cut.h5"); }, {"cut.h5"});
}

TEST_CASE("network trainer: numbers that are not finite end it, and nothing can be saved", "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  NetworkTrainer trainer(ctx, changed([](auto& c) {
                           c.shape.blocks = 16;
                           c.shape.channels = 8;
                           c.learning_rate = 1;
                           c.warm_up = 0;
                           c.steps = 1000;
                         }),
                         sources);
  std::string message;
  for (int i = 0; i < 60 && message.empty(); ++i) try {
      trainer.step();
    } catch (const NumericalError& e) {
      message = e.what();
    }
  INFO(message);
  CHECK(message.find("step " + std::to_string(trainer.steps_done() + 1) + ": the network's loss is not finite") == 0);
  for (const auto& use :
       std::vector<std::function<void()>>{[&] { trainer.step(); }, [&] { trainer.validation(); },
                                          [&] { trainer.save_checkpoint(folder / "checkpoint.h5"); },
                                          [&] { trainer.save_network(folder / "network.h5", "n", "t"); }})
    CHECK_THROWS_AS(use(), NumericalError);
  CHECK(folder.num_files() == 0);
}

TEST_CASE("network trainer: parameters that are not finite are not saved either", "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  const NetworkSources sources = frames();
  NetworkTrainer trainer(ctx, small_config(5), sources);
  trainer.save_checkpoint(folder / "checkpoint.h5");
  NetworkTraining begun = read_network_checkpoint(folder / "checkpoint.h5");
  // A gradient of the first layer times such weights overflows though the loss does not.
  const ResidualNetwork network(begun.config.shape);
  for (const NetworkLayer& layer : network.layers()) {
    const auto at = begun.parameters.begin() + static_cast<std::ptrdiff_t>(layer.weights_at);
    if (layer.name == "after_blocks" || layer.name == "last") std::fill_n(at, layer.num_weights(), 3e18f);
    if (layer.name == "first") std::fill_n(at, layer.num_weights() + layer.num_biases(), 0.0f);
    if (layer.name.starts_with("block")) std::fill_n(at, layer.num_weights() + layer.num_biases(), 0.0f);
    if (layer.name == "after_blocks") std::fill_n(at + static_cast<std::ptrdiff_t>(layer.num_weights()), 4, 0.0f);
  }
  write_network_checkpoint(folder / "checkpoint.h5", begun);
  NetworkTrainer resumed = NetworkTrainer::resume(ctx, sources, folder / "checkpoint.h5");
  CHECK(std::isfinite(resumed.step().l1));
  const std::string before = test::read_bytes(folder / "checkpoint.h5");
  require_error<NumericalError>([&] { resumed.save_checkpoint(folder / "checkpoint.h5"); },
                                {"step 1: the network's parameters are not finite"});
  CHECK(test::read_bytes(folder / "checkpoint.h5") == before);
  CHECK_THROWS_AS(resumed.save_network(folder / "network.h5", "n", "t"), NumericalError);
  CHECK_THROWS_AS(resumed.step(), NumericalError);
  CHECK(folder.num_files() == 1);
}

TEST_CASE("network trainer: without held-out sources there is nothing to validate; moved from, nothing at all",
          "[network_trainer]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  NetworkSources sources = frames();
  sources.images.pop_back();
  NetworkTrainer trainer(ctx, small_config(5), sources);
  CHECK(trainer.validation().empty());
  NetworkTrainer taken = std::move(trainer);
  CHECK(taken.step().step == 1);
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { trainer.step(); }, [&] { trainer.finished(); }, [&] { trainer.steps_done(); },
           [&] { trainer.config(); }, [&] { trainer.validation(); }, [&] { trainer.save_checkpoint(folder / "c.h5"); },
           [&] { trainer.save_network(folder / "n.h5", "n", "t"); }})
    require_error<InvalidArgument>(use, {"NetworkTrainer: expected one that was not moved from"});
  require_error<InvalidArgument>([&] { NetworkTrainer(ctx, small_config(5), {}); },
                                 {"expected one that is not held out"});
  require_error<IoError>([&] { taken.save_checkpoint(folder / "none/c.h5"); }, {"none/c.h5"});
  CHECK(taken.step().step == 2);  // which a file that cannot be written does not end
}
