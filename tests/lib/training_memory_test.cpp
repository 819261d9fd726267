// SPDX-License-Identifier: Apache-2.0
// What a training will take. tests/reliability/memory.sh and tests/emulation/training_memory_test.cu hold it against
// what trainings took.
#include <catch2/catch.hpp>
#include <limits>

#include "dsasrgs/error.hpp"
#include "dsasrgs/memory_need.hpp"
#include "support/small_case.hpp"

using namespace dsasrgs;
using Catch::Matchers::Contains;

TEST_CASE("training memory: it grows by what is added, on the side where it is", "[memory]") {
  Context cpu = Context::cpu();
  const Acquisition a = test::small_simulation(cpu).acquisition;
  const Config config = preset_config("r2-gaussian");
  const MemoryNeed few = training_memory(a, config, Backend::cpu, 1000);
  const MemoryNeed many = training_memory(a, config, Backend::cpu, 101000);
  CHECK(few.kept.device == 0);
  CHECK(few.peak.device == 0);
  CHECK(few.kept.host <= few.peak.host);
  // At least four numbers (value, gradient, two moments) for each of 11 parameters of a Gaussian, and not ten times
  // that.
  CHECK(many.kept.host - few.kept.host >= 100000 * std::size_t{4 * 11 * 4});
  CHECK(many.kept.host - few.kept.host <= 100000 * std::size_t{4 * 11 * 40});

  const MemoryNeed device = training_memory(a, config, Backend::cuda, 101000);
  CHECK(device.kept.device >= 100000 * std::size_t{4 * 11 * 4});
  CHECK(device.kept.host < many.kept.host / 10);

  // Tables of a neural field: value, gradient, two moments; on a device the gradient is a sum of 64 bits.
  Config small = preset_config("4drgs"), large = small;
  large.field.grid3d.log2_entries += 1;
  const std::size_t added =
      training_memory(a, large, Backend::cpu, 1000).kept.host - training_memory(a, small, Backend::cpu, 1000).kept.host;
  CHECK((training_memory(a, large, Backend::cuda, 1000).kept.device -
         training_memory(a, small, Backend::cuda, 1000).kept.device) *
            4 ==
        added * 5);
  // Numbers beyond any machine are numbers still.
  CHECK(training_memory(a, config, Backend::cpu, std::numeric_limits<int>::max()).peak.host > std::size_t{1} << 39);
}

TEST_CASE("training memory: without training views there is none", "[memory]") {
  Context cpu = Context::cpu();
  Acquisition a = test::small_simulation(cpu).acquisition;
  a.train_views.clear();
  a.test_views.clear();
  for (int v = 0; v < a.num_views(); ++v) a.test_views.push_back(v);
  CHECK_THROWS_AS(training_memory(a, Config{}, Backend::cpu, 1000), BadInput);
  CHECK_THROWS_WITH(training_memory(a, Config{}, Backend::cpu, 1000),
                    Contains("/split/test: expected a view to be left"));
}

TEST_CASE("training memory: what cannot be is refused", "[memory]") {
  Context cpu = Context::cpu();
  Acquisition a = test::small_simulation(cpu).acquisition;
  CHECK_THROWS_AS(training_memory(a, Config{}, Backend::cpu, std::numeric_limits<std::size_t>::max()), InvalidArgument);
  Config config;
  config.super_resolution.scale = -3;
  CHECK_THROWS_AS(training_memory(a, config, Backend::cpu, 1000), BadInput);
  a.detector.width_px = -5;
  CHECK_THROWS_AS(training_memory(a, Config{}, Backend::cpu, 1000), InvalidArgument);
}

TEST_CASE("available memory: there is some, and none on a device that is not there", "[memory]") {
  const MemoryAmount there = available_memory(Context::cpu());
  CHECK(there.host > 1 << 20);
  CHECK(there.host < std::size_t{1} << 50);
  CHECK(there.device == 0);
}
