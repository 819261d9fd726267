// SPDX-License-Identifier: Apache-2.0
// Each allocation of device and pinned memory of a run fails, once in each: OutOfMemory with the amount comes out, what
// was allocated is freed, and the next call gives the same bits.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "execution.hpp"
#include "support/network_file.hpp"
#include "support/tiny_run.hpp"

using namespace dsasrgs;

namespace {

/// In each call another allocation fails: all of them with DSASRGS_EVERY_ALLOCATION, else some 15. `after` is called
/// after each failure. Returns how many failed.
int fail_allocations(const std::string& name, const std::function<void()>& prepare, const std::function<void()>& call,
                     const std::function<std::vector<float>()>& result, const std::function<void()>& after = {}) {
  INFO(name);
  const auto undisturbed = [&] {
    prepare();
    call();
  };
  undisturbed();
  const std::vector<float> expected = result();
  prepare();
  constexpr long kMany = 1000000;
  emulation::fail_allocation(kMany);
  call();
  const long count = kMany - emulation::disarm_allocations();
  const long step = std::getenv("DSASRGS_EVERY_ALLOCATION") != nullptr ? 1 : std::max(count / 15, 1L);
  const std::size_t blocks = emulation::device(0).blocks;
  int failed = 0;
  for (long at = static_cast<long>(name.size()) % step; at < count; at += step, ++failed) {
    CAPTURE(at);
    prepare();
    emulation::fail_allocation(at);
    std::string message;
    try {
      call();
    } catch (const OutOfMemory& e) {
      message = e.what();
    }
    REQUIRE(emulation::disarm_allocations() < 0);
    INFO(message);
    REQUIRE_THAT(message, Catch::Contains(" bytes were needed"));
    if (after) after();
    undisturbed();
    REQUIRE(result() == expected);
    REQUIRE(emulation::device(0).blocks == blocks);
    REQUIRE(emulation::device(0).early_frees == 0);
  }
  return failed;
}

}  // namespace

TEST_CASE("emulation: device memory that runs out", "[emulation][out_of_memory]") {
  Context ctx = Context::cuda();
  const test::TinyRun run(ctx);
  const auto start = run.file("start.h5");
  std::optional<Reconstructor> training;
  const auto none = [&] { training.reset(); };
  const auto begin = [&] { training.emplace(ctx, run.acquisition, run.config, run.labels); };
  const auto resume = [&] { training.emplace(ctx, run.acquisition, start, run.labels); };
  const auto steps = [&] {
    while (!training->finished()) training->step();
  };
  const auto positions = [&] { return training->model().cloud.position_mm.to_host(ctx); };
  int failed = fail_allocations("Reconstructor", none, begin, positions);
  training->save_checkpoint(start);
  failed += fail_allocations("resume", none, resume, positions);
  resume();
  steps();
  const std::vector<float> trained = positions();
  // What failed before a step changed anything goes on; what failed later stays so.
  int gone_on = 0, refused = 0;
  failed += fail_allocations("steps", resume, steps, positions, [&] {
    try {
      steps();
      ++gone_on;
      REQUIRE(positions() == trained);
    } catch (const OutOfMemory&) {
      ++refused;
      REQUIRE_THROWS_AS(training->save_checkpoint(run.file("never.h5")), OutOfMemory);
    }
  });
  CHECK(gone_on > 0);
  CHECK(refused > 0);
  std::vector<float> scores;
  failed += fail_allocations(
      "evaluate", resume,
      [&] {
        EvaluationOptions options;
        options.baselines = true;
        const Evaluation e =
            evaluate(ctx, training->model(), run.acquisition, held_out_views(run.acquisition), options);
        scores = {static_cast<float>(e.volume->score->psnr_db), static_cast<float>(e.measured.mean().fixed.psnr_db)};
      },
      [&] { return scores; });
  write_network(run.file("network.h5"), test::small_network());
  std::vector<float> sharp;
  failed += fail_allocations(
      "SuperResolver", [] {},
      [&] {
        sharp = SuperResolver::open(ctx, run.file("network.h5"))
                    .sharpen(run.acquisition.projection(1), run.acquisition.detector.width_px,
                             run.acquisition.detector.height_px, 1)
                    .values;
      },
      [&] { return sharp; });
  if (std::getenv("DSASRGS_EVERY_ALLOCATION") != nullptr)
    WARN(failed << " allocations of device and pinned memory failed, one in each call");
}
