// SPDX-License-Identifier: Apache-2.0
// The gradient of the whole training loss, as the optimiser gets it, against central differences of a double chain.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "oracle/training_loss_oracle.hpp"
#include "resample/resample.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/model_gradient.hpp"
#include "support/random_values.hpp"
#include "train/training_loss.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr std::size_t kGaussians = 24;
constexpr float kTime = 0.37f, kDensityScale = 0.003f, kGain = 1.1f, kOffset = 0.05f;
const VolumeGrid kBox{12, 10, 8, {1, 1.2, 1.5}, {-6, -6, -6}};
const Detector kSmallDetector{20, 16, 1.6, 1.6};

/// One view, brighter everywhere than what the model renders: L1 has no kink there.
Acquisition bright_view(bool masked) {
  Acquisition a;
  a.name = "bright view";
  a.detector = kSmallDetector;
  a.volume = kBox;
  CArmView arm;
  arm.primary_rad = 0.4;
  arm.secondary_rad = 0.2;
  a.poses = {carm_pose(arm, 0)};
  const std::size_t pixels = a.detector.num_pixels();
  a.projections = random_values<float>(pixels, 3, 4, 31);
  if (masked) {
    a.valid.assign(pixels, 1);
    for (std::size_t i = 0; i < pixels; i += 7) a.valid[i] = 0;
  }
  return a;
}

/// Random parameters. The Gaussians are so wide that none ends inside the image or the volume: their sums are smooth.
TrainingState random_state(Context& ctx, const Config& config, const TrainingViews& views) {
  GaussianCloud cloud;
  cloud.position_mm = Buffer<float>::from_host(ctx, random_values<float>(3 * kGaussians, -4.5f, 4.5f, 1));
  cloud.raw_scale = Buffer<float>::from_host(ctx, random_values<float>(3 * kGaussians, -1, 1, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, random_values<float>(4 * kGaussians, -1, 1, 3));
  cloud.bounds = {4, 12};
  AttenuationField field(ctx, config.field, kBox, 5);
  field.set_density_scale_per_mm(kDensityScale);
  const auto coefficients = static_cast<std::size_t>(field.coefficients_per_gaussian());
  cloud.attenuation = Buffer<float>::from_host(ctx, random_values<float>(coefficients * kGaussians, -1, 1, 4));
  // Larger table entries than at the start, so that the field varies in space and time.
  for (Buffer<float>* table : {&field.parameters().table3d, &field.parameters().table4d})
    *table = Buffer<float>::from_host(ctx, random_values<float>(table->size(), -0.3f, 0.3f, 11));
  Model model{std::move(cloud), std::move(field), kBox, views.time(), views.detector(), true, {{0}, {1}, {0}}, ""};
  if (config.nuisance.view_gain) model.nuisance = {{0}, {kGain}, {kOffset}};
  TrainingState state = TrainingState::initial(ctx, config, std::move(model));
  state.step = 1;
  return state;
}

Config config_for(AttenuationKind kind) {
  Config config;
  config.field.kind = kind;
  config.field.grid3d = {5, 10, 3, 1.6};
  config.field.grid4d = {4, 10, 2, 1.5};
  config.field.width = 24;
  config.training.tv_block = 6;
  return config;
}

std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

/// Along random directions in every array that is learnt, each by itself.
void check_gradient(const Config& config, bool masked) {
  Context ctx = make_context();
  const TrainingViews views(ctx, bright_view(masked), config.training);
  const TrainingState state = random_state(ctx, config, views);
  const SuperResolutionConfig& sr = config.super_resolution;
  const Detector fine = sr.scale > 1 ? kSmallDetector.refined(sr.scale) : kSmallDetector;
  const std::vector<float> label = random_values<float>(fine.num_pixels(), 3, 4, 32);
  TrainingLoss loss(ctx, views, config, {[&](int) { return label; }, {}});
  loss.run(ctx, 0, kTime, state);

  TrainingLossOracle oracle;
  oracle.config = config;
  oracle.view = {views.pose(0), fine, kTime, true};
  oracle.box = kBox;
  oracle.block = variation_block(kBox, config.training.tv_block, config.training.seed, state.step);
  oracle.bounds = state.model.cloud.bounds;
  oracle.density_scale = static_cast<double>(kDensityScale);
  oracle.brightness = views.units().line_integral;
  oracle.measured = doubles(views.measured(0).to_host(ctx));
  oracle.valid = views.valid(0).to_host(ctx);
  if (sr.scale > 1) {  // what the target is made of has nothing that is learnt
    Buffer<float> upsampled(ctx, fine.num_pixels()), similarity(ctx, fine.num_pixels()),
        richness(ctx, fine.num_pixels());
    const auto device_label = Buffer<float>::from_host(ctx, label);
    upsample_bicubic(ctx, {kSmallDetector.width_px, kSmallDetector.height_px, sr.scale}, views.measured(0), upsampled);
    ssim_map(ctx,
             {fine.width_px, fine.height_px, 0.2f, static_cast<float>(oracle.brightness),
              static_cast<float>(config.training.ssim_range)},
             device_label, upsampled, similarity);
    texture_richness(ctx, {fine.width_px, fine.height_px}, device_label, richness);
    oracle.label = label;
    oracle.upsampled = upsampled.to_host(ctx);
    oracle.similarity = similarity.to_host(ctx);
    oracle.richness = richness.to_host(ctx);
  }
  LearntNumbers at;
  for (const ParameterInfo& p : kParameters)
    at.of[p.id] = doubles(p.value(state.model.cloud, state.model.field).to_host(ctx));
  if (sr.scale > 1) at.confidence = doubles(state.optimizer.confidence.weights.to_host(ctx));
  at.nuisance = {static_cast<double>(state.model.nuisance.gain[0]),
                 static_cast<double>(state.model.nuisance.offset[0])};
  const std::vector<double> image = oracle.image(at, oracle.density(at));
  REQUIRE(at.nuisance[0] * *std::max_element(image.begin(), image.end()) + at.nuisance[1] < 3);

  LossHistory history(ctx, "bright view");
  history.post(ctx, loss.terms(state), {});
  history.add(ctx, 1, 0);
  history.fetch(ctx);
  CHECK(history.last().values.total == Approx(oracle.value(at)).epsilon(1e-5));

  std::uint32_t seed = 50;
  const auto check = [&](const char* name, std::vector<double>& x, const std::vector<double>& gradient) {
    REQUIRE(gradient.size() == x.size());
    if (x.empty()) return;
    const double norm = std::sqrt(inner_product(gradient, gradient));
    REQUIRE(norm > 0);
    for (int direction = 0; direction < 3; ++direction) {
      // Random, and one gradient's length along or against the gradient: where the derivative is the small difference
      // of large parts, the rounding of a float gradient is up to 4e-4 of it.
      std::vector<double> d = random_values<double>(x.size(), -1, 1, ++seed);
      const double lean = std::copysign(1 / norm, inner_product(gradient, d));
      for (std::size_t i = 0; i < d.size(); ++i) d[i] += lean * gradient[i];
      const std::vector<double> centre = x;
      constexpr double kStep = 1e-6;
      const auto moved = [&](double step) {
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = centre[i] + step * d[i];
        return oracle.value(at);
      };
      const double numeric = (moved(kStep) - moved(-kStep)) / (2 * kStep), found = inner_product(gradient, d);
      x = centre;
      CAPTURE(name, name_of(config.field.kind), direction, found, numeric, found / numeric - 1);
      CHECK(std::abs(found / numeric - 1) < 1e-4);  // on the CPU below 1e-5
    }
  };
  LossGradient& g = loss.gradient();
  for (const ParameterInfo& p : kParameters)
    check(p.name, at.of[p.id], doubles(gradient_of(ctx, g.model, state.model.cloud, state.model.field, p.id)));
  if (sr.scale > 1) check("confidence", at.confidence, doubles(g.confidence.to_host(ctx)));
  if (config.nuisance.view_gain) check("nuisance", at.nuisance, {g.nuisance.gain, g.nuisance.offset});
}

}  // namespace

TEST_CASE("training gradient: the neural field with total variation, a mask and nuisance parameters",
          "[training_gradient][gradient]") {
  Config config = config_for(AttenuationKind::neural);
  config.training.tv_weight = 10;  // so that it counts beside the image
  config.nuisance.view_gain = config.nuisance.view_offset = true;
  check_gradient(config, true);
}

TEST_CASE("training gradient: the offset table with both variations", "[training_gradient][gradient]") {
  Config config = config_for(AttenuationKind::offset_table);
  config.training.tv_weight = 10;  // so that it counts beside the image
  config.training.table_variation_weight = 0.5;
  check_gradient(config, false);
}

TEST_CASE("training gradient: twice as fine, taught by a label as far as it is trusted",
          "[training_gradient][gradient]") {
  const AttenuationKind kind = GENERATE(AttenuationKind::constant, AttenuationKind::neural);
  Config config = config_for(kind);
  config.super_resolution.scale = 2;
  config.super_resolution.weight = 0.4;
  config.super_resolution.target = HighResolutionTarget::teach;
  config.super_resolution.alpha = 1.5;
  config.super_resolution.beta = -0.7;
  check_gradient(config, false);
}
