#include "dsasrgs/reconstructor.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "dsasrgs/error.hpp"
#include "dsasrgs/metrics.hpp"
#include "dsasrgs/renderer.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "training_state.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

std::vector<float> positions_after(int threads, int steps) {
  Context ctx = make_context(threads);
  const Simulation simulation = small_simulation(ctx);
  Config config = small_config(200);
  Reconstructor reconstructor(ctx, simulation.acquisition, config);
  for (int i = 0; i < steps; ++i) reconstructor.step();
  return reconstructor.model().cloud.position_mm.to_host(ctx);
}

double mean_test_psnr(Context& ctx, const Acquisition& acquisition, const Model& model) {
  Renderer renderer(ctx, model);
  const double range = fixed_range(view_of(acquisition.projections), {});
  double sum = 0;
  for (const int v : acquisition.test_views) {
    const std::vector<float> image =
        renderer.render(acquisition.poses[static_cast<std::size_t>(v)], acquisition.detector);
    sum += score_fixed({view_of(image),
                        acquisition.projection(v),
                        {},
                        acquisition.detector.width_px,
                        acquisition.detector.height_px},
                       range)
               .psnr_db;
  }
  return sum / static_cast<double>(acquisition.test_views.size());
}

}  // namespace

TEST_CASE("reconstructor: a small case is learnt, and held-out views with it", "[reconstructor]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  Reconstructor reconstructor(ctx, simulation.acquisition, small_config(800));
  const double before = mean_test_psnr(ctx, simulation.acquisition, reconstructor.model());
  double first_epoch = 0, last_epoch = 0;
  reconstructor.run([&](const StepReport& r) {
    if (r.step <= 12) first_epoch += r.loss / 12;
    if (r.step > 788) last_epoch += r.loss / 12;
    return true;
  });
  const double after = mean_test_psnr(ctx, simulation.acquisition, reconstructor.model());
  INFO("loss " << first_epoch << " -> " << last_epoch << ", held-out PSNR " << before << " -> " << after << " dB");
  CHECK(last_epoch < 0.35 * first_epoch);
  CHECK(after > before + 6);
  CHECK(after > 33);
  CHECK_THROWS_AS(reconstructor.step(), InvalidArgument);
}

TEST_CASE("reconstructor: the same bits for one and two threads, through density control", "[reconstructor]") {
  CHECK(positions_after(1, 150) == positions_after(2, 150));
}

TEST_CASE("reconstructor: a checkpoint continues as if nothing had happened", "[reconstructor]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  Config config = small_config(200);
  config.nuisance.view_offset = config.nuisance.view_gain = true;
  Reconstructor whole(ctx, simulation.acquisition, config);
  for (int i = 0; i < 130; ++i) whole.step();
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint_test.h5";
  whole.save_checkpoint(path);
  Reconstructor resumed(ctx, simulation.acquisition, path);
  CHECK(resumed.steps_done() == 130);
  for (int i = 0; i < 40; ++i) {
    const StepReport a = whole.step(), b = resumed.step();
    REQUIRE(a.loss == b.loss);
    REQUIRE(a.kernels == b.kernels);
  }
  CHECK(whole.model().cloud.raw_scale.to_host(ctx) == resumed.model().cloud.raw_scale.to_host(ctx));
  CHECK(whole.model().nuisance.gain == resumed.model().nuisance.gain);

  Acquisition other = simulation.acquisition;
  split_evenly(other, 6);
  CHECK_THROWS_AS(Reconstructor(ctx, other, path), BadInput);
}

TEST_CASE("reconstructor: a model file renders as the model it was written from", "[reconstructor][io]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const Acquisition& a = simulation.acquisition;
  for (const char* preset : {"4drgs", "static"}) {
    Config config = small_config(20);
    config.preset = preset;
    if (config.preset == "static") config.field.kind = AttenuationKind::constant;
    Reconstructor reconstructor(ctx, a, config);
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

TEST_CASE("reconstructor: nuisance offset and gain of the training views are found", "[reconstructor]") {
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

TEST_CASE("reconstructor: views without contrast are refused, not reconstructed", "[reconstructor]") {
  Context ctx = make_context();
  Acquisition a = small_simulation(ctx).acquisition;
  std::fill(a.projections.begin(), a.projections.end(), 0.0f);
  CHECK_THROWS_AS(Reconstructor(ctx, a, small_config(10)), BadInput);
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

TEST_CASE("schedule: rates decay over the run and density events keep to their window", "[reconstructor]") {
  const Config c = preset_config("4drgs");
  const StepSchedule first = schedule_at(c, 100, 1), last = schedule_at(c, 100, 30000);
  CHECK(first.position == Approx(1e-2));
  CHECK(last.position == Approx(1e-3));
  CHECK(first.field == Approx(1e-3));
  CHECK_FALSE(schedule_at(c, 100, 400).density_event);
  CHECK(schedule_at(c, 100, 600).density_event);
  CHECK_FALSE(schedule_at(c, 100, 601).density_event);
  CHECK_FALSE(schedule_at(c, 100, 15000).density_event);
  CHECK(schedule_at(c, 100, 500).split_voxels == Approx(2.5));
  CHECK(schedule_at(c, 100, 15000).split_voxels == Approx(0.5));
}
