// SPDX-License-Identifier: Apache-2.0
// What training does when the rasteriser's tile lists, sized at one view, become too small for another.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "train/loss_history.hpp"
#include "train/schedule.hpp"

namespace dsasrgs::test {

TEST_CASE("loss history: says once how many pairs the steps that were fetched had at most", "[loss_history]") {
  Context ctx = make_context();
  LossHistory losses(ctx, "data");
  ImageLossSaved saved;
  saved.value = Buffer<ImageLossValue>::from_host(ctx, std::vector<ImageLossValue>{{0.5, 0.25, 0.125}});
  LossTerms terms;
  terms.image = &saved;
  terms.image_weight = 1;
  std::vector<Buffer<unsigned long long>> posted;
  for (const unsigned long long pairs : {3ull, 70ull, 20ull}) {
    posted.push_back(Buffer<unsigned long long>::from_host(ctx, std::vector<unsigned long long>{pairs}));
    losses.post(ctx, terms, posted.back());
    losses.add(ctx, static_cast<int>(posted.size()), 0);
  }
  losses.fetch(ctx);
  CHECK(losses.last().step == 3);
  CHECK(losses.last().values.total == 0.5);
  CHECK(losses.take_most_pairs() == 70);
  CHECK(losses.take_most_pairs() == 0);
  losses.post(ctx, terms, {});
  losses.add(ctx, 4, 0);  // a backend whose lists grow by themselves
  losses.fetch(ctx);
  CHECK(losses.take_most_pairs() == 0);
}

TEST_CASE("training: tile lists that overflow are noticed, sized anew and reported", "[reconstructor]") {
  Context ctx = make_context();
  std::vector<std::string> lines;
  ctx.set_log([&](std::string_view line) { lines.emplace_back(line); });
  Simulation simulation = small_simulation(ctx);
  Config config = small_config(70);
  config.density_control.first_step = 1000;  // the number of Gaussians stays, so nothing else sizes the lists
  config.gaussians.init = InitialPoints::random;
  // The view of the first step, which sizes them, looks past the volume.
  Acquisition& acquisition = simulation.acquisition;
  const auto slot =
      static_cast<std::size_t>(view_of_step(config.training.seed, static_cast<int>(acquisition.train_views.size()), 1));
  Pose& pose = acquisition.poses[static_cast<std::size_t>(acquisition.train_views[slot])];
  pose.detector_center_mm += pose.detector_u * 500.0;
  Reconstructor reconstructor(ctx, acquisition, config);
  for (int i = 0; i < 40; ++i) reconstructor.step();
  if (ctx.backend() == Backend::cpu) {
    CHECK(lines.empty());
    return;
  }
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::StartsWith("rasteriser: tile lists of ") && Catch::Contains("by step 32"));
  CHECK_NOTHROW(reconstructor.step());
}

}  // namespace dsasrgs::test
