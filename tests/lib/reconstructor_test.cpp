// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/reconstructor.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "dsasrgs/error.hpp"
#include "dsasrgs/renderer.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/held_out.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "train/schedule.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

std::vector<float> positions_after(int threads, int steps) {
  Context ctx = make_context(threads);
  const Simulation simulation = small_simulation(ctx);
  Reconstructor reconstructor(ctx, simulation.acquisition, with_early_events(small_config(200)));
  for (int i = 0; i < steps; ++i) reconstructor.step();
  return reconstructor.model().cloud.position_mm.to_host(ctx);
}

/// Twice as fine as the detector, with pixel weights: RSD after step 25, births after 40, both again after 50 and 60.
Config densifying_config(int steps) {
  Config config = with_early_events(small_config(steps));
  config.super_resolution.scale = 2;
  config.super_resolution.weight = 0.4;
  config.super_resolution.target = HighResolutionTarget::upsampled;
  config.density_control.pixel_weights = true;
  config.density_control.last_step = steps;
  config.residual_split.enabled = config.residual_births.enabled = true;
  config.residual_split.every = 25;
  config.residual_births.every = 20;
  config.residual_split.first_step = config.residual_births.first_step = 20;
  return config;
}

}  // namespace

TEST_CASE("reconstructor: a small case is learnt, and held-out views with it", "[reconstructor][long]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const int steps = is_emulated(ctx) ? 160 : 800;
  Reconstructor reconstructor(ctx, simulation.acquisition, small_config(steps));
  const double before = mean_test_psnr(ctx, simulation.acquisition, reconstructor.model());
  double first_epoch = 0, last_epoch = 0;
  reconstructor.run([&](const StepReport& r) {
    if (r.step <= 12) first_epoch += r.loss / 12;
    if (r.step > steps - 12) last_epoch += r.loss / 12;
    return true;
  });
  const double after = mean_test_psnr(ctx, simulation.acquisition, reconstructor.model());
  INFO("loss " << first_epoch << " -> " << last_epoch << ", held-out PSNR " << before << " -> " << after << " dB");
  if (!ctx.asynchronous()) CHECK(last_epoch < 0.35 * first_epoch);  // else only some losses become known
  CHECK(after > before + (steps < 800 ? 2 : 6));
  if (steps == 800) CHECK(after > 33);
  CHECK_THROWS_AS(reconstructor.step(), InvalidArgument);
}

TEST_CASE("reconstructor: a trajectory on CUDA agrees with the CPU's", "[reconstructor][parity][trajectory]") {
  Context cpu = Context::cpu(1), cuda = make_context();
  const Simulation simulation = small_simulation(cpu);
  Config config = with_early_events(small_config(200));
  config.training.step_graph = GENERATE(true, false);
  const int steps = is_emulated(cuda) ? 60 : 200;
  Reconstructor a(cpu, simulation.acquisition, config), b(cuda, simulation.acquisition, config);
  while (a.steps_done() < steps) {
    const StepReport ra = a.step(), rb = b.step();
    REQUIRE(rb.view == ra.view);
    if (rb.loss_step == ra.step) CHECK(rb.loss == Approx(ra.loss).epsilon(5e-3).margin(1e-6));
    // Rounding that has grown for 50 steps may carry single Gaussians over the threshold of the second event.
    const double slack = ra.step < 50 ? 0 : 0.005 * static_cast<double>(ra.gaussians);
    REQUIRE(std::abs(static_cast<double>(rb.gaussians) - static_cast<double>(ra.gaussians)) <= slack);
  }
  CHECK(a.model().cloud.size() > 1500);
  const double psnr_cpu = mean_test_psnr(cpu, simulation.acquisition, a.model());
  const double psnr_cuda = mean_test_psnr(cuda, simulation.acquisition, b.model());
  INFO("held-out PSNR " << psnr_cpu << " dB on the CPU, " << psnr_cuda << " dB on CUDA");
  CHECK(std::abs(psnr_cpu - psnr_cuda) < 0.1);
}

TEST_CASE("reconstructor: the same bits for one and two threads and from run to run, through density control",
          "[reconstructor]") {
  CHECK(positions_after(1, 60) == positions_after(2, 60));
}

TEST_CASE("reconstructor: a checkpoint continues as if nothing had happened", "[reconstructor]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  Config config = with_early_events(small_config(200));
  config.nuisance.view_offset = config.nuisance.view_gain = true;
  Reconstructor whole(ctx, simulation.acquisition, config);
  const int before = is_emulated(ctx) ? 55 : 80, after = is_emulated(ctx) ? 10 : 40;
  for (int i = 0; i < before; ++i) whole.step();
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint_test.h5";
  whole.save_checkpoint(path);
  Reconstructor resumed(ctx, simulation.acquisition, path);
  CHECK(resumed.steps_done() == before);
  for (int i = 0; i < after; ++i) {
    const StepReport a = whole.step(), b = resumed.step();
    if (a.loss_step == b.loss_step) REQUIRE(a.loss == b.loss);
    REQUIRE(a.gaussians == b.gaussians);
  }
  CHECK(whole.model().cloud.raw_scale.to_host(ctx) == resumed.model().cloud.raw_scale.to_host(ctx));
  CHECK(whole.model().nuisance.gain == resumed.model().nuisance.gain);

  Acquisition other = simulation.acquisition;
  split_evenly(other, 6);
  CHECK_THROWS_AS(Reconstructor(ctx, other, path), BadInput);
}

TEST_CASE("reconstructor: RSD and births add Gaussians, and a checkpoint between them continues with the same bits",
          "[reconstructor]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  Reconstructor whole(ctx, simulation.acquisition, densifying_config(200));
  const int before = 45, after = is_emulated(ctx) ? 17 : 60;  // in the middle of both statistics
  std::size_t split = 0, born = 0;
  const auto count = [&](const StepReport& r) {
    split += r.residual_split;
    born += r.born;
  };
  for (int i = 0; i < before; ++i) count(whole.step());
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint_test.h5";
  whole.save_checkpoint(path);
  Reconstructor resumed(ctx, simulation.acquisition, path);
  for (int i = 0; i < after; ++i) {
    const StepReport a = whole.step(), b = resumed.step();
    count(a);
    REQUIRE(a.gaussians == b.gaussians);
    REQUIRE(a.residual_split == b.residual_split);
    REQUIRE(a.born == b.born);
  }
  CHECK(split > 10);
  CHECK(born > 0);
  CHECK(whole.model().cloud.position_mm.to_host(ctx) == resumed.model().cloud.position_mm.to_host(ctx));
  CHECK(whole.model().cloud.raw_scale.to_host(ctx) == resumed.model().cloud.raw_scale.to_host(ctx));
}

TEST_CASE("reconstructor: a coarse start is a run at the measured resolution, and a checkpoint in it goes on",
          "[reconstructor]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const int steps = 52, coarse = 46;
  const auto positions = [&](const Reconstructor& r) { return r.model().cloud.position_mm.to_host(ctx); };
  Config config = densifying_config(steps);
  config.super_resolution.first_step = coarse;
  config.super_resolution.keep_labels = false;
  Config measured = config;
  measured.super_resolution.scale = 1;
  const test::TemporaryFolder folder;
  Reconstructor straight(ctx, simulation.acquisition, config), low(ctx, simulation.acquisition, measured);
  while (straight.steps_done() < coarse) {
    straight.step();
    low.step();
    if (straight.steps_done() == 42) straight.save_checkpoint(folder / "run.h5");  // RSD after 25, births after 40
  }
  CHECK(positions(straight) == positions(low));
  straight.run();
  low.run();
  CHECK(positions(straight) != positions(low));
  Reconstructor resumed(ctx, simulation.acquisition, folder / "run.h5");
  resumed.run();
  CHECK(positions(resumed) == positions(straight));
}

TEST_CASE("reconstructor: RSD and births on CUDA make the CPU's Gaussians", "[reconstructor][parity][trajectory]") {
  Context cpu = Context::cpu(1), cuda = make_context();
  const Simulation simulation = small_simulation(cpu);
  const Config config = densifying_config(200);
  Reconstructor a(cpu, simulation.acquisition, config), b(cuda, simulation.acquisition, config);
  std::size_t split = 0, born = 0;
  for (int i = 0; i < 42; ++i) {  // RSD after step 25, births after 40
    const StepReport ra = a.step(), rb = b.step();
    REQUIRE(rb.gaussians == ra.gaussians);
    REQUIRE(rb.residual_split == ra.residual_split);
    REQUIRE(rb.born == ra.born);
    split += ra.residual_split;
    born += ra.born;
  }
  CHECK(split > 0);
  CHECK(born > 0);
  // Rounding may choose another voxel for a birth, and then that Gaussian is elsewhere; all others are where they are,
  // but not in the same rows: one that rounding moves over the border of a cell stands at another place of the curve.
  const std::vector<float> here = b.model().cloud.position_mm.to_host(cuda),
                           there = a.model().cloud.position_mm.to_host(cpu);
  std::size_t elsewhere = 0;
  for (std::size_t i = 0; i < here.size(); i += 3) {
    float nearest = std::numeric_limits<float>::infinity();
    for (std::size_t j = 0; j < there.size(); j += 3)
      nearest =
          std::min(nearest, std::hypot(here[i] - there[j], here[i + 1] - there[j + 1], here[i + 2] - there[j + 2]));
    elsewhere += nearest > 0.05f;
  }
  CAPTURE(here.size() / 3, split, born, elsewhere);
  CHECK(elsewhere <= born);
  CHECK(elsewhere < here.size() / 3 / 50);
}

TEST_CASE("reconstructor: a model file renders as the model it was written from", "[reconstructor][io]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const Acquisition& a = simulation.acquisition;
  for (const char* preset : {"4drgs", "static", "togs"}) {
    CAPTURE(preset);
    Reconstructor reconstructor(ctx, a, small_config(20, preset));
    reconstructor.run();
    const test::TemporaryFolder folder;
    const auto path = folder / "model_test.h5";
    write_model(ctx, path, reconstructor.model());
    const Model read = read_model(ctx, path);
    Renderer original(ctx, reconstructor.model()), copy(ctx, read);
    CHECK(original.render(a.poses[7], a.detector) == copy.render(a.poses[7], a.detector));
    CHECK(original.voxelize(a.volume, 2.0) == copy.voxelize(a.volume, 2.0));
  }
}

TEST_CASE("reconstructor: nuisance offset and gain of the training views are found", "[reconstructor][long]") {
  Context ctx = make_context();
  Acquisition a = small_simulation(ctx).acquisition;
  const int disturbed = a.train_views[5];
  const std::size_t pixels = a.detector.num_pixels();
  for (std::size_t i = 0; i < pixels; ++i) a.projections[static_cast<std::size_t>(disturbed) * pixels + i] += 0.05f;
  Config config = small_config(800);
  config.nuisance.view_offset = true;
  Reconstructor reconstructor(ctx, a, config);
  reconstructor.run();
  const ViewNuisance& nuisance = reconstructor.model().nuisance;
  CHECK(nuisance.offset[5] == Approx(0.05).margin(0.01));
  for (std::size_t i = 0; i < nuisance.view.size(); ++i)
    if (i != 5) CHECK(std::abs(nuisance.offset[i]) < 0.01);
}

TEST_CASE("reconstructor: a measurement that is not finite is refused by name", "[reconstructor]") {
  Context ctx = make_context();
  Acquisition a = small_simulation(ctx).acquisition;
  a.projections[a.detector.num_pixels() * 3 + 5] = std::numeric_limits<float>::quiet_NaN();
  try {
    Reconstructor reconstructor(ctx, a, small_config(10));
    FAIL("a NaN was accepted");
  } catch (const BadInput& e) {
    CHECK(std::string(e.what()).find("/projections") != std::string::npos);
  }
}

TEST_CASE("reconstructor: a loss that is not finite stops the run by step and view", "[reconstructor]") {
  Context ctx = make_context();
  Simulation simulation = small_simulation(ctx);
  Acquisition& a = simulation.acquisition;
  // One pixel is finite, but its square is not: SSIM of that view becomes NaN.
  const int view = a.training_views()[7];
  a.projections[static_cast<std::size_t>(view) * a.detector.num_pixels() + 900] = 1e25f;
  Reconstructor overflowing(ctx, a, small_config(64));
  CHECK_THROWS_WITH(overflowing.run(), Catch::Contains("not finite at step ") &&
                                           Catch::Contains("view " + std::to_string(view) + " of " + a.name));
}

TEST_CASE("reconstructor: a brightness whose fourth power is no float is refused", "[reconstructor]") {
  Context ctx = make_context();
  for (const float factor : {1e10f, 1e-8f}) {
    Simulation simulation = small_simulation(ctx);
    for (float& v : simulation.acquisition.projections) v *= factor;
    CHECK_THROWS_WITH(Reconstructor(ctx, simulation.acquisition, small_config(64)),
                      Catch::Contains("/projections: expected brightest line integrals of 1e-6 to 1e+8"));
  }
}

TEST_CASE("reconstructor: views without contrast are refused, not reconstructed", "[reconstructor]") {
  Context ctx = make_context();
  Acquisition a = small_simulation(ctx).acquisition;
  std::fill(a.projections.begin(), a.projections.end(), 0.0f);
  CHECK_THROWS_AS(Reconstructor(ctx, a, small_config(10)), BadInput);
}

TEST_CASE("reconstructor: where nothing can be placed it says which number to change", "[reconstructor]") {
  Context ctx = make_context();
  const Acquisition a = small_simulation(ctx).acquisition;
  const auto refused = [&](const Acquisition& b, const Config& config, std::initializer_list<std::string_view> parts) {
    require_error<BadInput>([&] { Reconstructor(ctx, b, config); }, parts);
  };
  Acquisition one = a;
  one.train_views = {16};
  one.test_views.clear();
  Config fdk = small_config(10);
  fdk.gaussians.init = InitialPoints::fdk;
  refused(one, fdk, {"training views: expected 2 or more where gaussians.init = fdk, found 1"});
  fdk.gaussians.init_threshold_per_mm = 1e3;
  refused(a, fdk, {"expected a vessel whose FDK attenuation exceeds 1000", "gaussians.init_threshold_per_mm"});

  Config config = small_config(20);
  config.density_control.first_step = config.density_control.every = 5;
  config.density_control.last_step = 20;
  config.density_control.min_mean_density = 1e6;
  Reconstructor reconstructor(ctx, a, config);
  require_error<NumericalError>(
      [&] {
        while (!reconstructor.finished()) reconstructor.step();
      },
      {"removed every Gaussian", "density_control.min_mean_density"});
}

TEST_CASE("schedule: every epoch shows each view once, in a seeded order", "[reconstructor]") {
  std::vector<int> first, second;
  for (int s = 1; s <= 7; ++s) first.push_back(view_of_step(3, 7, s));
  for (int s = 8; s <= 14; ++s) second.push_back(view_of_step(3, 7, s));
  CHECK(first != second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  CHECK(first == std::vector<int>{0, 1, 2, 3, 4, 5, 6});
  CHECK(first == second);
}

namespace {
const TrainingUnits kUnits{50, 4};  // mm, line integral
}

TEST_CASE("schedule: rates decay over the run and density events keep to their window", "[reconstructor]") {
  const Config c = preset_config("4drgs");
  const StepSchedule first = schedule_at(c, kUnits, 1), last = schedule_at(c, kUnits, 30000);
  CHECK(first.rate[Parameter::position] == Approx(1e-2));
  CHECK(last.rate[Parameter::position] == Approx(1e-3));
  CHECK(first.rate[Parameter::network] == Approx(1e-3));
  CHECK(first.epsilon[Parameter::position] == Approx(1e-15 / 50));
  CHECK(first.epsilon[Parameter::raw_scale] == Approx(1e-15));
  CHECK(first.nuisance_gain == Approx(5e-3));
  CHECK(first.nuisance_offset == Approx(4 * 5e-3));
  CHECK(first.min_mean_density_per_mm == Approx(c.density_control.min_mean_density * 4 / 50));
  CHECK_FALSE(schedule_at(c, kUnits, 400).density_event);
  CHECK(schedule_at(c, kUnits, 600).density_event);
  CHECK_FALSE(schedule_at(c, kUnits, 601).density_event);
  CHECK_FALSE(schedule_at(c, kUnits, 15000).density_event);
  CHECK(schedule_at(c, kUnits, 500).split_voxels == Approx(2.5));
  CHECK(schedule_at(c, kUnits, 15000).split_voxels == Approx(0.5));
}

TEST_CASE("schedule: RSD and births keep to their windows, and only where they are on", "[reconstructor]") {
  const Config off = preset_config("4drgs"), on = preset_config("dsa-srgs");
  CHECK_FALSE(schedule_at(off, kUnits, 1000).residual_split_event);
  CHECK_FALSE(schedule_at(off, kUnits, 1000).residual_births_event);
  CHECK_FALSE(schedule_at(on, kUnits, 500).changes_gaussians());
  CHECK(schedule_at(on, kUnits, 700).residual_split_event);
  CHECK_FALSE(schedule_at(on, kUnits, 700).residual_births_event);
  CHECK(schedule_at(on, kUnits, 2000).residual_births_event);
  CHECK_FALSE(schedule_at(on, kUnits, 15000).changes_gaussians());
  CHECK(schedule_at(on, kUnits, 500).residual_split_threshold == Approx(1e-4));
  CHECK(schedule_at(on, kUnits, 15000).residual_split_threshold == Approx(0.6e-4));
}
