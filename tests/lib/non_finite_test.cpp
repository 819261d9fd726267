// SPDX-License-Identifier: Apache-2.0
// A loss, gradient or parameter that is not finite ends the run, by step, view, stage and last checkpoint.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "train/checkpoint.hpp"
#include "train/watched_numbers.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;
using Catch::Contains;

namespace {

constexpr int kBefore = 2;  // steps before a number is spoilt

/// The message with which a run ends that goes on from a checkpoint with one number changed; "" if it does not end.
struct Spoilt {
  TemporaryFolder folder;
  Context ctx = make_context();
  Acquisition acquisition = [] {
    Context cpu = Context::cpu(1);
    return small_simulation(cpu).acquisition;
  }();
  Config config = small_config(8);

  std::string message(const std::function<void(TrainingState&)>& spoil) {
    Reconstructor sound(ctx, acquisition, config);
    for (int i = 0; i < kBefore; ++i) sound.step();
    sound.save_checkpoint(folder / "sound.h5");
    TrainingState state = read_checkpoint(ctx, folder / "sound.h5");
    spoil(state);
    write_checkpoint(ctx, folder / "spoilt.h5", state);
    Reconstructor spoilt(ctx, acquisition, folder / "spoilt.h5");
    try {
      spoilt.run();
    } catch (const NumericalError& e) {
      CHECK_THROWS_WITH(spoilt.save_checkpoint(folder / "never.h5"), Catch::Equals(e.what()));
      CHECK_FALSE(std::filesystem::exists(folder / "never.h5"));
      return e.what();
    }
    return "";
  }
  void set(Buffer<float>& array, std::size_t at, float value) {
    std::vector<float> values = array.to_host(ctx);
    values.at(at) = value;
    array = Buffer<float>::from_host(ctx, values);
  }
};

/// "..., view 7 of NAME, ...": a training view.
void check_places(const std::string& message, const Spoilt& run, const char* stage) {
  INFO(message);
  CHECK_THAT(message, Contains("is not finite at step " + std::to_string(kBefore + 1) + ", view "));
  CHECK_THAT(message, Contains(" of " + run.acquisition.name));
  CHECK_THAT(message, Contains(std::string("stage \"") + stage + "\""));
  CHECK_THAT(message, Contains("the last checkpoint, of step " + std::to_string(kBefore) + ", is " +
                               (run.folder / "spoilt.h5").string()));
}

}  // namespace

TEST_CASE("non-finite numbers: forward", "[non_finite]") {
  Spoilt run;
  check_places(run.message([&](TrainingState& s) {
    Buffer<float>& network = s.model.field.parameters().network;
    run.set(network, network.size() - 1, 3e38f);
  }),
               run, "field forward");
  check_places(run.message([&](TrainingState& s) { run.set(s.model.cloud.position_mm, 4, 1e30f); }), run,
               "project forward");
}

TEST_CASE("non-finite numbers: a measurement whose square is none, as the first step finds", "[non_finite]") {
  Spoilt run;
  const int view = run.acquisition.training_views()[0];
  const std::size_t pixels = run.acquisition.detector.num_pixels();
  run.acquisition.projections[static_cast<std::size_t>(view) * pixels + 900] = 1e25f;
  run.config.training.steps = 64;
  Reconstructor training(run.ctx, run.acquisition, run.config);
  CHECK_THROWS_WITH(training.run(), Contains("the loss is not finite at step ") && Contains(", view ") &&
                                        Contains("stage \"image loss\"") && Contains("no checkpoint was kept"));
}

TEST_CASE("non-finite numbers: an update that leaves some is found when the model is kept", "[non_finite]") {
  Spoilt run;
  Reconstructor training(run.ctx, run.acquisition, run.config);
  training.step();
  training.save_checkpoint(run.folder / "sound.h5");
  training.step();
  // As an update would: nothing has looked at it since.
  auto& cloud = const_cast<GaussianCloud&>(training.model().cloud);
  run.set(cloud.raw_scale, 3, std::numeric_limits<float>::infinity());
  CHECK_THROWS_WITH(training.save_checkpoint(run.folder / "spoilt.h5"),
                    Contains("not finite after step 2, view ") && Contains("stage \"adam\"") && Contains("raw_scale") &&
                        Contains("of step 1, is " + (run.folder / "sound.h5").string()));
  CHECK_FALSE(std::filesystem::exists(run.folder / "spoilt.h5"));
  CHECK_THROWS_AS(training.step(), NumericalError);
}

TEST_CASE("non-finite numbers: the first stage in the order of a step is named", "[non_finite]") {
  const auto stage = [](std::initializer_list<Watched> found) {
    std::uint32_t bits = 0;
    for (const Watched w : found) bits |= std::uint32_t{1} << static_cast<std::size_t>(w);
    return std::string(first_non_finite_stage(bits));
  };
  CHECK(stage({}) == "image loss");
  CHECK(stage({Watched::grad_network, Watched::density}) == "field forward");
  CHECK(stage({Watched::rendered, Watched::amplitude}) == "project forward");
  CHECK(stage({Watched::grad_rendered, Watched::rendered}) == "rasterize forward");
  CHECK(stage({Watched::grad_conic, Watched::grad_rotation}) == "rasterize backward");
  CHECK(stage({Watched::grad_density, Watched::grad_position}) == "project backward");
  CHECK(stage({Watched::grad_attenuation}) == "field backward");
}
