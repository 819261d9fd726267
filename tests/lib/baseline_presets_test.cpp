// SPDX-License-Identifier: Apache-2.0
// The presets `togs` and `r2-gaussian`, trained on a small simulated case.

#include <catch2/catch.hpp>
#include <cmath>

#include "attenuation/attenuation.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "support/context.hpp"
#include "support/held_out.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

/// Total variation of a smaller block in emulation, where the published one takes most of the time.
Config quick_config(const Context& ctx, const char* preset, int steps) {
  Config config = small_config(steps, preset);
  if (is_emulated(ctx)) config.training.tv_block = 12;
  return config;
}

Config short_config(const Context& ctx, const char* preset, int steps) {
  return with_early_events(quick_config(ctx, preset, steps));
}

/// Σ|table_j − table_{j−1}|, the mean over Gaussians.
float table_variation_of(Context& ctx, const Model& model) {
  OffsetTableSmoothness saved;
  offset_table_smoothness_forward(ctx, 1, model.cloud.attenuation, saved);
  return offset_table_smoothness_value(ctx, saved);
}

}  // namespace

TEST_CASE("baselines: training lowers the loss and predicts held-out views better", "[baselines][long]") {
  const auto* const preset = GENERATE("togs", "r2-gaussian");
  CAPTURE(preset);
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const int steps = is_emulated(ctx) ? 96 : 480;
  Reconstructor reconstructor(ctx, simulation.acquisition, quick_config(ctx, preset, steps));
  const double before = mean_test_psnr(ctx, simulation.acquisition, reconstructor.model());
  double first_epoch = 0, last_epoch = 0;
  std::size_t pruned = 0, cloned = 0;
  reconstructor.run([&](const StepReport& r) {
    if (r.step <= 12) first_epoch += r.loss / 12;
    if (r.step > steps - 12) last_epoch += r.loss / 12;
    pruned += r.pruned;
    cloned += r.cloned;
    return true;
  });
  const double after = mean_test_psnr(ctx, simulation.acquisition, reconstructor.model());
  INFO("loss " << first_epoch << " -> " << last_epoch << ", held-out PSNR " << before << " -> " << after << " dB, "
               << reconstructor.model().cloud.size() << " Gaussians, " << pruned << " pruned, " << cloned << " cloned");
  if (!ctx.asynchronous()) CHECK(last_epoch < 0.8 * first_epoch);
  CHECK(after > before + 0.5);
}

TEST_CASE("baselines: a checkpoint continues as if nothing had happened", "[baselines]") {
  const auto* const preset = GENERATE("togs", "r2-gaussian");
  CAPTURE(preset);
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  Reconstructor whole(ctx, simulation.acquisition, short_config(ctx, preset, 100));
  for (int i = 0; i < 40; ++i) whole.step();
  const TemporaryFolder folder;
  whole.save_checkpoint(folder / "checkpoint.h5");
  Reconstructor resumed(ctx, simulation.acquisition, folder / "checkpoint.h5");
  std::size_t pruned = 0;
  for (int i = 0; i < 14; ++i) {
    const StepReport a = whole.step(), b = resumed.step();
    REQUIRE(a.gaussians == b.gaussians);
    pruned += b.pruned;
  }
  CHECK(pruned > 0);
  const GaussianCloud &a = whole.model().cloud, &b = resumed.model().cloud;
  CHECK(a.position_mm.to_host(ctx) == b.position_mm.to_host(ctx));
  CHECK(a.raw_scale.to_host(ctx) == b.raw_scale.to_host(ctx));
  CHECK(a.attenuation.to_host(ctx) == b.attenuation.to_host(ctx));
}

TEST_CASE("baselines: same bits for 1 and 2 threads", "[baselines]") {
  const auto* const preset = GENERATE("togs", "r2-gaussian");
  CAPTURE(preset);
  const auto trained = [&](int threads) {
    Context ctx = make_context(threads);
    const Simulation simulation = small_simulation(ctx);
    Reconstructor reconstructor(ctx, simulation.acquisition, short_config(ctx, preset, 100));
    for (int i = 0; i < 30; ++i) reconstructor.step();
    return reconstructor.model().cloud.attenuation.to_host(ctx);
  };
  CHECK(trained(1) == trained(2));
}

TEST_CASE("baselines: a trajectory on CUDA agrees with the CPU's", "[baselines][parity][trajectory]") {
  const auto* const preset = GENERATE("togs", "r2-gaussian");
  CAPTURE(preset);
  Context cpu = Context::cpu(1), cuda = make_context();
  const Simulation simulation = small_simulation(cpu);
  const Config config = short_config(cuda, preset, 60);
  Reconstructor a(cpu, simulation.acquisition, config), b(cuda, simulation.acquisition, config);
  while (!a.finished()) {
    const StepReport ra = a.step(), rb = b.step();
    if (rb.loss_step == ra.step) CHECK(rb.loss == Approx(ra.loss).epsilon(5e-3).margin(1e-6));
    // Rounding may carry single Gaussians over the threshold of the second event.
    const double slack = ra.step < 50 ? 0 : 0.005 * static_cast<double>(ra.gaussians);
    REQUIRE(std::abs(static_cast<double>(rb.gaussians) - static_cast<double>(ra.gaussians)) <= slack);
  }
  const double psnr_cpu = mean_test_psnr(cpu, simulation.acquisition, a.model());
  const double psnr_cuda = mean_test_psnr(cuda, simulation.acquisition, b.model());
  INFO("held-out PSNR " << psnr_cpu << " dB on the CPU, " << psnr_cuda << " dB on CUDA");
  CHECK(std::abs(psnr_cpu - psnr_cuda) < 0.1);
}

TEST_CASE("baselines: the weight on the tables' variation keeps them flat", "[baselines]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const auto variation = [&](double weight) {
    Config config = short_config(ctx, "togs", 100);
    config.training.table_variation_weight = weight;
    Reconstructor reconstructor(ctx, simulation.acquisition, config);
    for (int i = 0; i < 24; ++i) reconstructor.step();
    return table_variation_of(ctx, reconstructor.model());
  };
  const float free = variation(0), published = variation(0.0043), strong = variation(10);
  INFO("free " << free << ", published weight " << published << ", strong " << strong);
  CHECK(published < free);
  CHECK(strong < 0.5f * published);
}

TEST_CASE("baselines: the weight on total variation smooths the volume", "[baselines][long]") {
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  struct Roughness {
    double variation = 0, per_attenuation = 0;
  };
  const auto roughness = [&](double weight) {
    Config config = short_config(ctx, "r2-gaussian", 100);
    config.training.tv_weight = weight;
    config.training.tv_block = 32;
    Reconstructor reconstructor(ctx, simulation.acquisition, config);
    for (int i = 0; i < 24; ++i) reconstructor.step();
    const std::vector<float> v = Renderer(ctx, reconstructor.model()).voxelize(simulation.acquisition.volume, 0).values;
    Roughness r;
    double sum = 0;
    for (std::size_t i = 0; i + 1 < v.size(); ++i) {
      r.variation += std::abs(static_cast<double>(v[i + 1]) - static_cast<double>(v[i]));
      sum += static_cast<double>(v[i]);
    }
    r.per_attenuation = r.variation / sum;
    return r;
  };
  // Far above the preset's weight: Adam's rate bounds what 24 steps can change.
  const Roughness free = roughness(0), strong = roughness(10);
  INFO("variation " << free.variation << " -> " << strong.variation << ", per attenuation " << free.per_attenuation
                    << " -> " << strong.per_attenuation);
  CHECK(strong.variation < 0.9 * free.variation);
  CHECK(strong.per_attenuation < free.per_attenuation);  // smoother, not only fainter
}
