// SPDX-License-Identifier: Apache-2.0
// How a caller holds a Reconstructor: temporaries, the model taken out, cancellation, what a step reports.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <concepts>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "train/checkpoint.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

// A reference into a reconstructor that is about to go is not to be had.
template <class R>
concept gives_model = requires(R&& r) {
  std::forward<R>(r).model();
};
template <class R>
concept gives_config = requires(R&& r) {
  std::forward<R>(r).config();
};
template <class R>
concept gives_model_away = requires(R&& r) {
  std::forward<R>(r).take_model();
};
static_assert(gives_model<const Reconstructor&> && !gives_model<Reconstructor>);
static_assert(gives_config<const Reconstructor&> && !gives_config<Reconstructor>);
static_assert(gives_model_away<Reconstructor> && !gives_model_away<Reconstructor&>);
// Labels that a raw pointer, or a reference to somebody else's, would leave behind.
static_assert(
    !std::constructible_from<Reconstructor, Context&, const Acquisition&, const Config&, const PseudoLabels*>);
static_assert(
    !std::constructible_from<Reconstructor, Context&, const Acquisition&, const Config&, const PseudoLabels&>);

std::vector<float> positions(Context& ctx, const Model& model) { return model.cloud.position_mm.to_host(ctx); }

}  // namespace

TEST_CASE("reconstructor: acquisition, configuration and labels may be temporaries, and the model is taken out",
          "[reconstructor][reconstructor_use]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  const Acquisition a = small_simulation(ctx).acquisition;
  Config config = small_config(6, "static");
  config.super_resolution.scale = 2;
  config.super_resolution.weight = 0.4;
  config.super_resolution.target = HighResolutionTarget::pseudo_labels;
  config.super_resolution.keep_labels = false;  // read at every step
  Reconstructor kept(ctx, a, config, std::make_shared<const PseudoLabels>(lanczos_labels(a, 2, folder / "kept.h5")));
  kept.run();
  auto made =
      std::make_unique<Reconstructor>(ctx, Acquisition(a), Config(config), lanczos_labels(a, 2, folder / "given.h5"));
  made->run();
  const Model model = std::move(*made).take_model();
  made.reset();
  CHECK(positions(ctx, model) == positions(ctx, kept.model()));
  CHECK(model.nuisance.view == a.train_views);
}

TEST_CASE("reconstructor: a stop from another thread is heeded between steps, and the run goes on from there",
          "[reconstructor][reconstructor_use]") {
  Context ctx = make_context();
  const Acquisition a = small_simulation(ctx).acquisition;
  const Config config = small_config(12, "static");
  Reconstructor stopped(ctx, a, config), straight(ctx, a, config);
  std::stop_source stop;
  int reports = 0;
  stopped.run(
      [&](const StepReport& r) {
        if (r.step == 5) std::thread([&] { stop.request_stop(); }).join();
        ++reports;
        return true;
      },
      stop.get_token());
  CHECK(reports == 5);
  CHECK(stopped.steps_done() == 5);
  stopped.run({}, stop.get_token());  // still stopped
  CHECK(stopped.steps_done() == 5);
  stopped.run();
  straight.run();
  CHECK(stopped.finished());
  CHECK(positions(ctx, stopped.model()) == positions(ctx, straight.model()));
}

TEST_CASE("reconstructor: the loss reported is the sum of its terms, and terms that are not in it are 0",
          "[reconstructor][reconstructor_use]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  const Acquisition a = small_simulation(ctx).acquisition;
  const auto last_report = [&](const Config& config, std::shared_ptr<const PseudoLabels> labels = nullptr) {
    Reconstructor r(ctx, a, config, std::move(labels));
    StepReport last;
    r.run([&](const StepReport& report) {
      last = report;
      return true;
    });
    CHECK(last.loss_step == config.training.steps);
    const double w = last.l_sr > 0 ? config.super_resolution.weight : 0;
    CHECK(last.loss ==
          Approx((1 - w) * last.l_gt + w * last.l_sr + last.total_variation + last.table_variation).epsilon(1e-6));
    if (last.l_gt > 0) {
      const double lambda = config.training.ssim_weight;
      CHECK(last.l_gt == Approx((1 - lambda) * last.l1 + lambda * (1 - last.ssim)).epsilon(1e-6));
    }
    return last;
  };
  Config config = small_config(4, "togs");
  config.training.tv_weight = 0.05;
  config.training.tv_block = 12;
  const StepReport volume = last_report(config);
  CHECK(volume.total_variation > 0);
  CHECK(volume.table_variation > 0);
  CHECK(volume.l_sr == 0);
  CHECK(volume.alpha == 0);

  config = small_config(4, "static");
  CHECK(last_report(config).loss > 0);
  CHECK(last_report(config).total_variation == 0);
  CHECK(last_report(config).table_variation == 0);
  config.super_resolution.scale = 2;
  config.super_resolution.weight = 0.4;
  config.super_resolution.target = HighResolutionTarget::teach;
  const auto labels = std::make_shared<const PseudoLabels>(lanczos_labels(a, 2, folder / "labels.h5"));
  const StepReport fine = last_report(config, labels);
  CHECK(fine.l_sr > 0);
  CHECK(fine.l_gt > 0);
  CHECK(fine.alpha == Approx(1).margin(0.01));
  CHECK(fine.alpha != 1);  // it learns
  config.super_resolution.weight = 1;
  config.super_resolution.target = HighResolutionTarget::both;
  const StepReport only_fine = last_report(config, labels);
  CHECK(only_fine.l_gt == 0);
  CHECK(only_fine.l1 == 0);
  CHECK(only_fine.loss == only_fine.l_sr);
  CHECK(only_fine.alpha == 0);
}

TEST_CASE("reconstructor: that the Gaussians have reached their cap is said once",
          "[reconstructor][reconstructor_use]") {
  Context ctx = make_context();
  std::vector<std::string> lines;
  ctx.set_log([&](std::string_view line) { lines.emplace_back(line); });
  const Acquisition a = small_simulation(ctx).acquisition;
  Config config = small_config(40, "static");
  config.density_control.every = 8;
  config.density_control.first_step = 6;
  config.density_control.last_step = 40;
  config.density_control.gradient_threshold = 0;
  config.density_control.max_gaussians = 520;  // from 500
  Reconstructor r(ctx, a, config);
  r.run();
  CHECK(r.model().cloud.size() == 520);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("step 8") != std::string::npos);
  CHECK(lines[0].find("density_control.max_gaussians = 520") != std::string::npos);
}

TEST_CASE("reconstructor: reduced precision of the field trains on either backend and is not fp32",
          "[reconstructor][reconstructor_use]") {
  Context ctx = make_context();
  const Acquisition a = small_simulation(ctx).acquisition;
  Config config = small_config(6);
  Reconstructor full(ctx, a, config);
  config.field.precision = FieldPrecision::bf16;
  Reconstructor reduced(ctx, a, config);
  full.run();
  reduced.run();
  const std::vector<float> x = positions(ctx, full.model()), y = positions(ctx, reduced.model());
  REQUIRE(x.size() == y.size());
  CHECK(x != y);
  for (const float v : y) REQUIRE(std::isfinite(v));
}

TEST_CASE("reconstructor: whose model was taken says so, and overwrites no checkpoint", "[reconstructor_use]") {
  Context ctx = make_context();
  const Acquisition a = small_simulation(ctx).acquisition;
  Reconstructor r(ctx, a, small_config(4));
  r.step();
  const Model model = std::move(r).take_model();
  CHECK(model.cloud.size() > 0);
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(r.save_checkpoint(folder.path() / "c.h5"), Catch::Contains("model was taken"));
  CHECK(!std::filesystem::exists(folder.path() / "c.h5"));
  CHECK_THROWS_AS(r.step(), InvalidArgument);
  CHECK_THROWS_AS(r.model(), InvalidArgument);
  CHECK_THROWS_AS(std::move(r).take_model(), InvalidArgument);
  CHECK(r.steps_done() == 1);
}

TEST_CASE("reconstructor: a finished run is trained further, as one of so many steps", "[reconstructor]") {
  Context ctx = make_context();
  const Acquisition a = small_simulation(ctx).acquisition;
  const TemporaryFolder folder;
  Reconstructor r(ctx, a, small_config(4));
  r.run();
  r.save_checkpoint(folder / "c.h5");
  CHECK_THROWS_WITH(r.train_to(4), Catch::Contains("expected more than the 4 done, found 4"));
  CHECK_THROWS_AS(r.train_to(std::numeric_limits<int>::max()), BadInput);  // no configuration has so many
  CHECK(r.finished());
  r.train_to(8);
  CHECK_FALSE(r.finished());
  CHECK(r.config().training.steps == 8);
  CHECK(config_from_toml(r.model().config_toml, "model").training.steps == 8);
  r.run();
  Reconstructor resumed(ctx, a, folder / "c.h5");
  CHECK(resumed.finished());
  resumed.train_to(8);
  resumed.run();
  CHECK(resumed.model().cloud.position_mm.to_host(ctx) == r.model().cloud.position_mm.to_host(ctx));
}

TEST_CASE("reconstructor: a checkpoint goes on with its own valid pixels and volume only", "[reconstructor]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  Acquisition a = small_simulation(ctx).acquisition;
  Reconstructor(ctx, a, small_config(4, "static")).save_checkpoint(folder / "start.h5");
  const auto resume = [&](const Acquisition& other) { return Reconstructor(ctx, other, folder / "start.h5"); };
  Acquisition masked = a;
  masked.valid.assign(a.detector.num_pixels(), 1);
  CHECK_NOTHROW(resume(masked));  // all of them
  masked.valid[7] = 0;
  CHECK_THROWS_WITH(resume(masked), Catch::Contains("/@validity") && Catch::Contains("other valid pixels"));
  Acquisition moved = a;
  moved.volume.origin_mm.x += 1;
  CHECK_THROWS_WITH(resume(moved), Catch::Contains("/volume"));
  Acquisition longer = a;  // a later end of the sweep is another clock; the training views are the same
  REQUIRE(a.train_views.back() != a.num_views() - 1);
  longer.poses.back().time_s += 1;
  CHECK_THROWS_WITH(resume(longer), Catch::Contains("/time: expected the first and last time of"));

  // Made up: no run writes a detector or views that its case has not.
  const auto resume_changed = [&](const auto& change) {
    TrainingState state = read_checkpoint(ctx, folder / "start.h5");
    change(state.model);
    write_checkpoint(ctx, folder / "changed.h5", state);
    return Reconstructor(ctx, a, folder / "changed.h5");
  };
  CHECK_NOTHROW(resume_changed([](Model&) {}));
  CHECK_THROWS_WITH(resume_changed([](Model& m) { m.detector.pitch_u_mm *= 2; }), Catch::Contains("/detector"));
  CHECK_THROWS_WITH(resume_changed([&](Model& m) { m.test_views.back() = a.num_views(); }),
                    Catch::Contains("/test_views") && Catch::Contains("found " + std::to_string(a.num_views())));
}

TEST_CASE("reconstructor: labels that were opened for another acquisition are refused", "[reconstructor]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  const Acquisition a = small_simulation(ctx).acquisition;
  Acquisition other = a;
  other.projections[5] += 0.01f;
  Config config = small_config(4, "dsa-srgs");
  config.super_resolution.scale = 2;
  CHECK_THROWS_WITH(Reconstructor(ctx, other, config, lanczos_labels(a, 2, folder / "labels.h5")),
                    Catch::Contains("another acquisition"));
}

TEST_CASE("reconstructor: one that was moved from says so", "[reconstructor]") {
  Context ctx = make_context();
  Reconstructor from(ctx, small_simulation(ctx).acquisition, small_config(2, "static"));
  const Reconstructor to(std::move(from));
  CHECK_THROWS_AS(from.config(), InvalidArgument);
  CHECK_THROWS_AS(from.steps_done(), InvalidArgument);
  CHECK_THROWS_AS(from.finished(), InvalidArgument);
  CHECK_THROWS_AS(from.run(), InvalidArgument);
  CHECK_THROWS_AS(from.units(), InvalidArgument);
  CHECK_THROWS_WITH(from.step(), Catch::Contains("moved from"));
  CHECK(to.steps_done() == 0);
}
