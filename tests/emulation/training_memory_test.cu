// SPDX-License-Identifier: Apache-2.0
// What a training takes on a device, held against what it was expected to take.

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "dsasrgs/memory_need.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "execution.hpp"
#include "support/small_case.hpp"

using namespace dsasrgs;

namespace {

/// Bytes of the device that a short training held at its most, per byte that it was expected to.
double measured_over_expected(const Config& config, const Acquisition& acquisition) {
  Context ctx = Context::cuda();
  emulation::Device& device = emulation::device(0);
  const std::size_t before = device.bytes;
  device.most_bytes = before;
  Reconstructor reconstructor(ctx, acquisition, config);
  reconstructor.run();
  const std::size_t gaussians = std::max<std::size_t>(reconstructor.model().cloud.size(), config.gaussians.initial);
  const MemoryNeed need = training_memory(acquisition, config, Backend::cuda, gaussians);
  return static_cast<double>(device.most_bytes - before) / static_cast<double>(need.peak.device);
}

/// Few steps and many Gaussians.
Config config_of(const char* preset) {
  Config config = test::small_config(6, preset);
  config.gaussians.init = InitialPoints::random;
  config.gaussians.initial = 5000;
  config.density_control.every = 2;
  config.density_control.first_step = 1;
  config.density_control.last_step = 6;
  return config;
}

}  // namespace

TEST_CASE("training memory: a device holds what was expected, within 15 %", "[memory]") {
  Context cpu = Context::cpu();
  const Acquisition acquisition = test::small_simulation(cpu).acquisition;
  SECTION("neural field") {
    const double ratio = measured_over_expected(config_of("4drgs"), acquisition);
    INFO("held / expected: " << ratio);
    CHECK(ratio > 0.85);
    CHECK(ratio < 1.15);
  }
  SECTION("one number per Gaussian") {
    const double ratio = measured_over_expected(config_of("r2-gaussian"), acquisition);
    INFO("held / expected: " << ratio);
    CHECK(ratio > 0.85);
    CHECK(ratio < 1.15);
  }
  SECTION("a fine target of every view") {
    Config config = config_of("dsa-srgs");
    config.super_resolution.target = HighResolutionTarget::upsampled;
    config.super_resolution.first_step = 2;
    const double ratio = measured_over_expected(config, acquisition);
    INFO("held / expected: " << ratio);
    CHECK(ratio > 0.85);
    CHECK(ratio < 1.15);
  }
}
