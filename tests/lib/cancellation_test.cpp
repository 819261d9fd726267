// SPDX-License-Identifier: Apache-2.0
// Everything long ends soon after a stop is requested from another thread.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "dsasrgs/baselines.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/simulator.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "support/context.hpp"
#include "support/network_file.hpp"
#include "support/random_values.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

using Clock = std::chrono::steady_clock;

/// A tree that takes a while to simulate.
VesselTree large_tree() {
  VesselTreeOptions options;
  options.min_radius_mm = 0.4;
  return generate_vessel_tree(options);
}

struct Ended {
  bool cancelled = false, done = false;
  double delay_s = 0;  ///< since the request
};

/// job(stop) on this thread; another requests the stop after `after_s`.
Ended stopped_after(double after_s, const std::function<void(const std::stop_token&)>& job) {
  std::stop_source source;
  std::atomic<Clock::rep> requested{0};
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::duration<double>(after_s));
    requested = Clock::now().time_since_epoch().count();
    source.request_stop();
  });
  Ended ended;
  try {
    job(source.get_token());
    ended.done = true;
  } catch (const Cancelled&) {
    ended.cancelled = true;
  }
  const auto end = Clock::now().time_since_epoch().count();
  const auto begin = requested.load();
  if (begin > 0 && begin < end) ended.delay_s = std::chrono::duration<double>(Clock::duration(end - begin)).count();
  other.join();
  return ended;
}

/// A job with the context's token.
std::function<void(const std::stop_token&)> with_token(Context& ctx, std::function<void()> job) {
  return [&ctx, job = std::move(job)](const std::stop_token& stop) {
    ctx.set_stop(stop);
    job();
  };
}

ProgressCallback heeding(const std::stop_token& stop) {
  return [stop](const ProgressReport&) { return !stop.stop_requested(); };
}

}  // namespace

TEST_CASE("cancellation: a stop that was requested before ends every long job, and nothing else", "[cancellation]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  Simulation simulation = small_simulation(ctx);
  const Acquisition& a = simulation.acquisition;
  Reconstructor training(ctx, a, small_config(4));
  NetworkTrainingConfig network;
  network.shape = {2, 4, 1, true};
  network.steps = 2;
  network.batch = 2;
  network.patch_px = 8;
  NetworkSources sources;
  sources.images.push_back({"frames", {{40, 36, random_values<float>(40 * 36, 0, 1, 1)}}});
  sources.images.push_back({"kept", {{40, 36, random_values<float>(40 * 36, 0, 1, 2)}}, {1}, 1, true});
  NetworkTrainer trainer(ctx, network, sources);
  const std::vector<float> volume(a.volume.num_voxels(), 0.1f);

  std::stop_source source;
  source.request_stop();
  ctx.set_stop(source.get_token());
  CHECK_THROWS_AS(small_simulation(ctx), Cancelled);
  CHECK_THROWS_AS(simulate_volume(ctx, {a.volume, volume, 1}, 0.05, {}, {}), Cancelled);
  CHECK_THROWS_AS(fdk_volume(ctx, a, a.training_views(), a.volume), Cancelled);
  CHECK_THROWS_AS(reproject_volume(ctx, volume, a.volume, a.poses, a.detector), Cancelled);
  CHECK_THROWS_AS(Reconstructor(ctx, a, small_config(4)), Cancelled);
  CHECK_THROWS_AS(Renderer(ctx, training.model()).voxelize_mean(a.volume, 3), Cancelled);
  CHECK_THROWS_WITH(trainer.step(), Catch::Contains("stopped, as the caller asked"));
  CHECK_THROWS_AS(trainer.validation(), Cancelled);
  CHECK(trainer.steps_done() == 0);

  // What was trained is kept, and goes on.
  training.step();
  training.save_checkpoint(folder / "checkpoint.h5");
  CHECK(Reconstructor(ctx, a, folder / "checkpoint.h5").steps_done() == 1);
  Renderer(ctx, training.model()).render(a.poses[0], a.detector);
  ctx.set_stop({});
  trainer.step();
  CHECK(trainer.steps_done() == 1);
  CHECK(small_simulation(ctx).acquisition.projections == a.projections);
}

TEST_CASE("cancellation: a training ends within the step in which another thread asks for it", "[cancellation]") {
  Context ctx = make_context();
  const Acquisition a = small_simulation(ctx).acquisition;
  Reconstructor training(ctx, a, small_config(100000, "static"));
  std::atomic<int> done{0}, at_request{-1};
  std::stop_source source;
  std::thread other([&] {
    while (done < 3) std::this_thread::yield();
    at_request = done.load();
    source.request_stop();
  });
  training.run(
      [&](const StepReport& report) {
        done = report.step;
        return report.step < 5000;
      },
      source.get_token());
  other.join();
  CHECK(training.steps_done() >= at_request);
  // The step that was running, and one for a thread that was held up between the two lines above.
  CHECK(training.steps_done() <= at_request + 2);
}

// Prints the longest delay between a request and the end of each job, at 1024 × 1024 pixels.
TEST_CASE("cancellation: delays at full size", "[.][measure]") {
  Context ctx = Context::cpu(0);
  const TemporaryFolder folder;
  SimulationOptions options;
  options.sweep.num_views = 12;
  options.detector = {1024, 1024, 0.3, 0.3};
  options.volume = {256, 256, 256, {0.625, 0.625, 0.625}, {-80, -80, -80}};
  options.samples_per_pixel = 1;
  options.num_train_views = 6;
  const VesselTree tree = large_tree();
  const Acquisition a = simulate(ctx, tree, {}, options).acquisition;
  Config config = preset_config("4drgs");
  Reconstructor training(ctx, a, config);
  training.step();
  Renderer renderer(ctx, training.model());
  const std::vector<float> volume = renderer.voxelize(a.volume, 1).values;
  SuperResolver resolver = small_resolver(ctx, folder / "network.h5", {4, 32, 8, true});
  const auto report = [&](const char* job, const std::function<void(const std::stop_token&)>& body) {
    double longest = 0;
    for (const double after_s : {0.3, 0.65, 1.1, 1.73, 2.9})
      longest = std::max(longest, stopped_after(after_s, body).delay_s);
    std::printf("%-24s %.3f s\n", job, longest);
    ctx.set_stop({});
  };
  std::printf("longest delay of five stops, %d threads\n", ctx.threads());
  report("training", [&](const std::stop_token& stop) { training.run({}, stop); });
  report("evaluation", [&](const std::stop_token& stop) {
    ctx.set_stop(stop);
    evaluate(ctx, training.model(), a, held_out_views(a), {}, heeding(stop));
  });
  report("scoring a volume", [&](const std::stop_token& stop) {
    const std::vector<float>& reference = a.reference_volume->values;
    const double half = 0.5 * *std::max_element(reference.begin(), reference.end());
    for (int i = 0; i < 20; ++i) score_volume(reference, reference, a.volume, half, heeding(stop));
  });
  report("simulation", with_token(ctx, [&] { simulate(ctx, tree, {}, options); }));
  report("FDK", with_token(ctx, [&] { fdk_volume(ctx, a, a.training_views(), a.volume); }));
  report("reprojection", with_token(ctx, [&] { reproject_volume(ctx, volume, a.volume, a.poses, a.detector); }));
  report("voxelization", with_token(ctx, [&] { renderer.voxelize_mean(a.volume, 133); }));
  report("beginning a training", with_token(ctx, [&] { Reconstructor(ctx, a, config); }));
  report("labels", [&](const std::stop_token& stop) {
    SharpenOptions sharpen;
    sharpen.stop = stop;
    network_label(resolver, a, 6, 1, sharpen);
  });
  NetworkTrainingConfig network;
  NetworkSources sources;
  sources.vessels.push_back({"tree", tree});
  sources.vessels.push_back({"kept", tree, 1, true});
  NetworkTrainer trainer(ctx, network, sources);
  report("network training", with_token(ctx, [&] {
           while (!trainer.finished()) trainer.step();
         }));
  report("network validation", with_token(ctx, [&] { trainer.validation(); }));
}
