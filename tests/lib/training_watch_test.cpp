// SPDX-License-Identifier: Apache-2.0
// Trainings that come to nothing are noticed while they run.

#include "train/training_watch.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "train/checkpoint.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;
using Catch::Contains;

namespace {

constexpr int kEnough = TrainingWatch::kPatience;

/// Two bright training views and, between them, one before the contrast comes.
struct Watched {
  Context ctx = make_context();
  Acquisition acquisition = [] {
    Context cpu = Context::cpu(1);
    Acquisition a = small_simulation(cpu).acquisition;
    a.train_views = {2, 5, 9};
    a.test_views = {3};
    const std::size_t pixels = a.detector.num_pixels();
    for (int view = 0; view < a.num_views(); ++view)
      for (std::size_t i = 0; i < pixels; ++i)
        a.projections[static_cast<std::size_t>(view) * pixels + i] = view == 5 ? 0.01f : 0.5f;
    return a;
  }();
  Config config = small_config(100);
  TrainingViews views{ctx, acquisition, config.training};
  TrainingWatch watch{views, config};
  int step = 0;

  /// A step with a loss no step had before; the render's mean is `share` of the measurement's.
  void see(int view, double share, double l1 = 0.1) {
    LossValues v;
    v.measured = true;
    v.rendered = share * (view == 5 ? 0.02 : 1);
    v.l1 = l1;
    v.total = 1 + 1e-3 * ++step;
    watch.see({step, view, v});
  }
};

}  // namespace

TEST_CASE("training watch: renders that stay blank stop the run, by name", "[watch]") {
  Watched w;
  REQUIRE(w.views.mean(0) == Approx(1));
  REQUIRE(w.views.mean(1) == Approx(0.02));
  for (int i = 0; i < 3 * kEnough; ++i) w.see(5, 0);  // nothing is to be seen there
  for (int i = 0; i < kEnough - 1; ++i) w.see(i % 2 == 0 ? 2 : 9, 0.5e-3);
  w.see(9, 0.01);  // not blank
  for (int i = 0; i < TrainingWatch::kForgiven; ++i) {
    w.see(2, 0);
    w.see(5, 0);
  }
  const int last = w.step + 1;
  CHECK_THROWS_WITH(w.see(9, 0), Contains("renders nothing") && Contains("step " + std::to_string(last)) &&
                                     Contains("view 9 of ") && Contains("learning_rate.field") && Contains("0.5"));
}

TEST_CASE("training watch: renders that go astray stop the run", "[watch]") {
  Watched w;
  for (int i = 0; i < 3 * kEnough; ++i) w.see(2, 5, 9.9);
  for (int i = 0; i < kEnough - 1; ++i) w.see(2, 5, 10.1);
  CHECK_THROWS_WITH(w.see(9, 5, 10.1), Contains("moves away from the measurement") && Contains("view 9"));
}

TEST_CASE("training watch: losses that repeat to the last bit stop the run", "[watch]") {
  Watched w;
  LossValues v;
  const auto repeat = [&](int view) {
    v.total = 0.25 + view;
    w.watch.see({++w.step, view, v});
  };
  for (const int view : {2, 5, 9}) repeat(view);    // seen for the first time
  for (int i = 0; i < 3 * kEnough; ++i) repeat(5);  // a view that shows nothing may stay as it is
  for (int i = 0; i < kEnough - 1; ++i) repeat(i % 2 == 0 ? 2 : 9);
  w.see(9, 1);  // another loss
  repeat(9);
  for (int i = 0; i < kEnough - 1; ++i) repeat(i % 2 == 0 ? 2 : 9);
  CHECK_THROWS_WITH(repeat(2), Contains("nothing is learnt") && Contains("view 2"));
}

TEST_CASE("training watch: flashes between blank renders do not hide them", "[watch]") {
  Watched w;
  const auto run = [&] {
    for (int i = 0; i < 50; ++i) w.see(2, i % 5 == 4 ? 1 : 0);
  };
  CHECK_THROWS_WITH(run(), Contains("renders nothing"));
  Watched healthy;
  for (int i = 0; i < 200; ++i) healthy.see(2, i % 5 == 4 ? 0 : 1);
}

TEST_CASE("training watch: fewer steps are enough where few views have contrast", "[watch]") {
  Context ctx = make_context(), cpu = Context::cpu(1);
  Acquisition a = small_simulation(cpu).acquisition;
  a.train_views.clear();
  a.test_views.clear();
  const std::size_t pixels = a.detector.num_pixels();
  for (std::size_t i = 0; i < a.projections.size(); ++i) a.projections[i] = i / pixels < 3 ? 0.5f : 0.01f;
  const Config config = small_config(100);
  const TrainingViews views(ctx, a, config.training);
  REQUIRE(views.size() == 24);  // an eighth with contrast: 12 of these would take 96 steps
  TrainingWatch watch(views, config);
  int step = 0;
  const auto turn = [&] {
    for (int view = 0; view < 24; ++view) {
      LossValues v;
      v.measured = true;
      v.total = ++step;
      watch.see({step, view, v});
    }
  };
  CHECK_THROWS_WITH((turn(), turn()), Contains("renders nothing"));
  CHECK(step <= 50);
}

TEST_CASE("training watch: a defect pixel is not what a view shows", "[watch]") {
  Watched w;
  w.acquisition.projections[9 * w.acquisition.detector.num_pixels() + 7] = 1e6f;
  const TrainingViews views(w.ctx, w.acquisition, w.config.training);
  CHECK(views.units().line_integral == Approx(0.5));
  CHECK(views.mean(2) == Approx(1).margin(0.01));
  CHECK(views.mean(0) == Approx(1));
}

TEST_CASE("training watch: what to change are the rates that the run has", "[watch]") {
  Watched w;
  w.config.nuisance.view_gain = true;
  TrainingWatch watch(w.views, w.config);
  const auto astray = [&] {
    for (int i = 1; i <= kEnough; ++i) {
      LossValues v;
      v.measured = true;
      v.rendered = 1;
      v.l1 = 11;
      v.total = i;
      watch.see({i, 2, v});
    }
  };
  CHECK_THROWS_WITH(astray(), Contains("nuisance.learning_rate") && Contains("learning_rate.field"));
}

TEST_CASE("training watch: a field that dies is noticed within 50 steps", "[watch]") {
  Context cpu = Context::cpu(1), ctx = make_context();
  const Acquisition a = small_simulation(cpu).acquisition;
  Config config = small_config(60);
  config.learning_rate.field = {0.3, 0.3};
  config.field.output = FieldOutput::relu;
  Reconstructor dying(ctx, a, config);
  CHECK_THROWS_WITH(dying.run(), Contains("renders nothing") && Contains("field.output = softplus"));
  CHECK(dying.steps_done() <= 50);
  // And it stays so: a model that has come to nothing is not kept.
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(dying.step(), Contains("renders nothing"));
  CHECK_THROWS_WITH(dying.save_checkpoint(folder / "dead.h5"), Contains("renders nothing"));
  CHECK_FALSE(std::filesystem::exists(folder / "dead.h5"));
  CHECK_THROWS_AS(dying.model(), NumericalError);
  CHECK_THROWS_AS(std::move(dying).take_model(), NumericalError);
}

TEST_CASE("training watch: outputs below 0 come back with softplus, and never with ReLU", "[watch][long]") {
  const TemporaryFolder folder;
  Context cpu = Context::cpu(1), ctx = make_context();
  const Acquisition a = small_simulation(cpu).acquisition;
  for (const FieldOutput output : {FieldOutput::relu, FieldOutput::softplus}) {
    Config config = small_config(100);
    config.field.output = output;
    config.learning_rate.field = {1e-2, 1e-2};
    config.density_control.last_step = 0;
    Reconstructor(ctx, a, config).save_checkpoint(folder / "start.h5");
    TrainingState state = read_checkpoint(ctx, folder / "start.h5");
    Buffer<float>& network = state.model.field.parameters().network;
    std::vector<float> values = network.to_host(ctx);
    values.back() = -0.4f;  // the output's bias, which makes nearly all of it
    network = Buffer<float>::from_host(ctx, values);
    write_checkpoint(ctx, folder / "below.h5", state);
    Reconstructor reconstructor(ctx, a, folder / "below.h5");
    double rendered = 0, brightest = 0;
    const auto run = [&] {
      reconstructor.run([&](const StepReport& r) {
        rendered = r.rendered;
        if (r.step > 60) brightest = std::max(brightest, rendered);
        return true;
      });
    };
    if (output == FieldOutput::relu) {
      CHECK_THROWS_WITH(run(), Contains("renders nothing"));
      CHECK(rendered == 0);
    } else {
      CHECK_NOTHROW(run());
      const TrainingViews views(ctx, a, config.training);
      double most = 0;
      for (std::size_t slot = 0; slot < views.size(); ++slot) most = std::max(most, views.mean(slot));
      CHECK(brightest > (ctx.asynchronous() ? 0.2 : 0.5) * most);  // on CUDA few losses are reported
      CHECK(brightest < 2 * most);
    }
  }
}
