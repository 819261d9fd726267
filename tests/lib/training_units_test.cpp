// SPDX-License-Identifier: Apache-2.0
// A scan trains alike in any unit of length and at any brightness (TrainingUnits).
//
// Powers of two change no digit of a float, only exponents: so a scan with its lengths and line integrals multiplied by
// them must train to the very same digits. A threshold, rate or constant with a hidden unit anywhere on the way, from
// FDK to density control, would show.

#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
#include "support/scaled_acquisition.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "train/training_views.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

/// With density control, RSD and births.
Config config_of(const std::string& preset, int steps) {
  Config config = small_config(steps, preset);
  config.training.clip_negative = false;
  config.density_control.every = 20;
  config.density_control.first_step = 30;
  config.density_control.last_step = 110;
  for (auto* event : {&config.residual_split.every, &config.residual_births.every}) *event = 25;
  for (auto* first : {&config.residual_split.first_step, &config.residual_births.first_step}) *first = 30;
  config.nuisance.view_gain = config.nuisance.view_offset = preset == "4drgs";
  if (config.super_resolution.scale > 1) config.super_resolution.scale = 2;
  return config;
}

struct Run {
  TrainingUnits units;
  std::vector<double> losses;
  std::size_t events = 0;
  std::vector<float> position, raw_scale, attenuation, network, offset;
  double density_scale = 0;
};

Run run_of(const Acquisition& a, const Config& config) {
  const TemporaryFolder folder;
  Context ctx = make_context();
  std::shared_ptr<const PseudoLabels> labels;
  if (config.super_resolution.needs_labels())
    labels =
        std::make_shared<const PseudoLabels>(lanczos_labels(a, config.super_resolution.scale, folder / "labels.h5"));
  Reconstructor reconstructor(ctx, a, config, labels);
  Run run;
  run.units = reconstructor.units();
  reconstructor.run([&](const StepReport& r) {
    run.losses.push_back(r.loss);
    run.events += r.cloned + r.split + r.pruned + r.residual_split + r.born;
    return true;
  });
  const Model& model = reconstructor.model();
  run.position = model.cloud.position_mm.to_host(ctx);
  run.raw_scale = model.cloud.raw_scale.to_host(ctx);
  run.attenuation = model.cloud.attenuation.to_host(ctx);
  run.network = model.field.parameters().network.to_host(ctx);
  run.offset = model.nuisance.offset;
  run.density_scale = static_cast<double>(model.field.density_scale_per_mm());
  return run;
}

std::vector<float> times(std::vector<float> values, float factor) {
  for (float& v : values) v *= factor;
  return values;
}

const Acquisition& small_scan() {
  static const Acquisition scan = [] {
    Context cpu = Context::cpu(1);
    return small_simulation(cpu).acquisition;
  }();
  return scan;
}

}  // namespace

TEST_CASE("units: a scan with lengths and brightness times powers of two trains to the same digits", "[units][long]") {
  // Emulated, one preset with all there is on the way; the formulas of the others are the CPU's.
  const bool emulated = is_emulated(make_context());
  for (const std::string& preset : emulated ? std::vector<std::string>{"dsa-srgs"} : preset_names()) {
    const Config config = config_of(preset, emulated ? 50 : 120);
    const Run once = run_of(small_scan(), config);
    REQUIRE(once.events > 0);
    using Factors = std::vector<std::pair<float, float>>;
    for (const auto& [length, line_integral] :
         emulated ? Factors{{1024, 0.015625f}} : Factors{{1024, 0.015625f}, {0.0625f, 32}}) {
      CAPTURE(preset, length, line_integral);
      const Run other = run_of(scaled(small_scan(), static_cast<double>(length), line_integral), config);
      CHECK(other.units.length_mm == once.units.length_mm * static_cast<double>(length));
      CHECK(other.units.line_integral == once.units.line_integral * static_cast<double>(line_integral));
      CHECK(other.losses == once.losses);
      CHECK(other.events == once.events);
      CHECK(other.position == times(once.position, length));
      CHECK(other.raw_scale == once.raw_scale);
      CHECK(other.attenuation == once.attenuation);
      CHECK(other.network == once.network);
      CHECK(other.offset == times(once.offset, line_integral));
      CHECK(other.density_scale == once.density_scale * static_cast<double>(line_integral / length));
    }
  }
}

TEST_CASE("units: brightness is a robust maximum of valid training pixels", "[units]") {
  Acquisition a = small_scan();
  Context ctx = make_context();
  const auto brightness = [&] {
    const double unit = TrainingViews(ctx, a, small_config(1).training).units().line_integral;
    CHECK(brightest_line_integral(a) == unit);
    return unit;
  };
  const std::size_t pixels = a.detector.num_pixels();
  const std::vector<int> training = a.training_views();
  const auto pixel = [&](int view, std::size_t i) -> float& {
    return a.projections[static_cast<std::size_t>(view) * pixels + i];
  };
  // Every view 1000 pixels of 0.001 to 1 and as many of -1: 0.999 is the 99.9th percentile of the positive ones.
  for (const int view : training)
    for (std::size_t i = 0; i < pixels; ++i)
      pixel(view, i) = i < 1000 ? 0.001f * static_cast<float>(i + 1) : (i < 2000 ? -1.0f : 0.0f);
  CHECK(brightness() == Approx(0.999));
  pixel(a.test_views.front(), 5) = 1000;  // not a training view
  pixel(training[3], 5) = 1000;           // a defect
  CHECK(brightness() == Approx(0.999).epsilon(0.002));
  a.valid.assign(pixels, 1);
  a.valid[998] = a.valid[999] = 0;  // 0.999 and 1
  CHECK(brightness() == Approx(0.998).epsilon(0.002));
  // Two pixels of 7 in every second view: more than a thousandth of these views, but not of all positive pixels.
  for (std::size_t slot = 0; slot < training.size(); ++slot)
    for (std::size_t i = 0; i < pixels; ++i)
      pixel(training[slot], i) = i < 2 && slot % 2 == 1 ? 7.0f : (i < 1900 ? 0.01f : 0.0f);
  CHECK(brightness() == Approx(7));
  for (const int view : training) pixel(view, 1) = 0.01f;  // in one pixel only: as a defect
  CHECK(brightness() == Approx(0.01));
}

TEST_CASE("units: training views without a positive pixel are refused", "[units]") {
  Acquisition a = small_scan();
  for (float& v : a.projections) v = -std::abs(v);
  Context ctx = make_context();
  CHECK_THROWS_WITH(Reconstructor(ctx, a, small_config(1)), Catch::Contains("a positive line integral"));
  CHECK_THROWS_WITH(brightest_line_integral(a), Catch::Contains("a positive line integral"));
}
