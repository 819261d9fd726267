// SPDX-License-Identifier: Apache-2.0
// Scores of one scan in several units and at several brightnesses, for docs/results.md. Not part of the tests:
//   build/tests/dsasrgs_tests "[units_table]"
// What it shows on average is tested to the digit in training_units_test.cpp.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/splits.hpp"
#include "support/context.hpp"
#include "support/labels.hpp"
#include "support/scaled_acquisition.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

struct Variant {
  const char* name;
  double length;
  float line_integral;
};
const Variant kVariants[] = {{"mm", 1, 1},         {"m", 1e-3, 1},     {"cm", 0.1, 1},  {"um", 1e3, 1},
                             {"x 0.01", 1, 0.01f}, {"x 0.1", 1, 0.1f}, {"x 10", 1, 10}, {"x 100", 1, 100}};

/// PSNR (fixed protocol) of the test views with contrast; 0 for a training that came to nothing.
double psnr_of(const Acquisition& a, Config config) {
  const TemporaryFolder folder;
  Context ctx = make_context();
  std::shared_ptr<const PseudoLabels> labels;
  if (config.super_resolution.scale > 1) config.super_resolution.scale = 2;
  if (config.super_resolution.needs_labels())
    labels = std::make_shared<const PseudoLabels>(lanczos_labels(a, 2, folder / "labels.h5"));
  try {
    Reconstructor reconstructor(ctx, a, config, labels);
    reconstructor.run();
    Renderer renderer(ctx, reconstructor.model());
    const ViewImage image = [&](int view) {
      return renderer.render(a.poses[static_cast<std::size_t>(view)], a.detector).values;
    };
    return score_views(ProjectionTruth::measured(a), a.test_views, image).mean().fixed.psnr_db;
  } catch (const NumericalError& e) {
    std::printf("%s\n", e.what());
    return 0;
  }
}

struct Spread {
  double sum = 0, lowest = 1e9, highest = 0;
  int count = 0;
  void add(double psnr) {
    sum += psnr;
    lowest = std::min(lowest, psnr);
    highest = std::max(highest, psnr);
    ++count;
  }
  double mean() const { return count > 0 ? sum / count : 0; }
};

/// Rounding parts two runs of one scan in two units as two seeds do, so a unit's score is the mean of a few seeds.
Spread spread_over_seeds(const Acquisition& a, Config config) {
  constexpr int kSeeds = 4;
  Spread spread;
  for (int seed = 0; seed < kSeeds; ++seed) {
    config.training.seed = seed;
    spread.add(psnr_of(a, config));
  }
  return spread;
}

Acquisition scan(bool moving) {
  Context cpu = Context::cpu(1);
  return moving ? small_simulation(cpu).acquisition : still_simulation(cpu).acquisition;
}

}  // namespace

TEST_CASE("units table: one still scan and one dynamic scan in several units, every preset", "[.][units_table]") {
  constexpr int kSteps = 600;
  for (const bool moving : {false, true})
    for (const std::string& preset : preset_names()) {
      const Acquisition a = scan(moving);
      std::printf("%-8s %-12s", moving ? "dynamic" : "still", preset.c_str());
      Spread means, seeds;  // over the variants; over the seeds of the first variant
      for (const Variant& v : kVariants) {
        const Spread variant = spread_over_seeds(scaled(a, v.length, v.line_integral), small_config(kSteps, preset));
        std::printf(" %s %.2f,", v.name, variant.mean());
        std::fflush(stdout);
        means.add(variant.mean());
        if (&v == kVariants) seeds = variant;
      }
      std::printf(" spread %.2f, seeds %.2f to %.2f dB\n", means.highest - means.lowest, seeds.lowest, seeds.highest);
      CHECK(means.lowest > 0);
    }
}

TEST_CASE("units table: 4 brightnesses of 12 seeds", "[.][units_table]") {
  for (const FieldOutput output : {FieldOutput::softplus, FieldOutput::relu})
    for (const float brightness : {1.0f, 3.0f, 10.0f, 30.0f}) {
      const Acquisition a = scaled(scan(true), 1, brightness);
      int dead = 0;
      Spread alive;
      for (int seed = 0; seed < 12; ++seed) {
        Config config = small_config(500);
        config.learning_rate.field = {3e-3, 3e-4};  // the quickstart's
        config.field.output = output;
        config.training.seed = seed;
        const double psnr = psnr_of(a, config);
        if (psnr == 0)
          ++dead;
        else
          alive.add(psnr);
      }
      std::printf("%s, brightness x %g: %d of 12 dead, mean %.2f dB, %.2f to %.2f\n",
                  output == FieldOutput::relu ? "relu" : "softplus", static_cast<double>(brightness), dead,
                  alive.mean(), alive.lowest, alive.highest);
      std::fflush(stdout);
      CHECK(dead == 0);
    }
}
