// SPDX-License-Identifier: Apache-2.0
#include "train/view_loss.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"
#include "elementwise/elementwise.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "train/training_state.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr int kScale = 2, kWidth = 17, kHeight = 13;
constexpr std::size_t kLow = kWidth * kHeight, kHigh = kScale * kScale * kLow;

/// Two views of random values, the second with a mask.
Acquisition two_views(bool masked) {
  Acquisition a;
  a.name = "two views";
  a.detector = {kWidth, kHeight, 2, 2};
  a.poses.resize(2);
  a.projections = random_values<float>(2 * kLow, 0.1f, 1.0f, 1);
  if (masked) {
    a.valid.assign(2 * kLow, 1);
    for (std::size_t i = kLow; i < 2 * kLow; i += 9) a.valid[i] = 0;
  }
  return a;
}

Config config_for(HighResolutionTarget target, double weight) {
  Config config = preset_config("4drgs");
  config.super_resolution.scale = kScale;
  config.super_resolution.target = target;
  config.super_resolution.weight = weight;
  config.super_resolution.alpha = 1.5;
  config.super_resolution.beta = -0.7;
  config.training.ssim_weight = 1;  // differences across the kinks of L1 are no gradients
  return config;
}

LabelReader labels() {
  return {[](int view) { return random_values<float>(kHigh, 0.1f, 1.0f, 20 + static_cast<std::uint32_t>(view)); }, {}};
}

struct Outcome {
  double low, high;
  std::vector<float> gradient, confidence_gradient;
};

Outcome run(const Config& config, const Acquisition& a, const std::vector<float>& rendered, std::size_t slot) {
  Context ctx = make_context();
  const TrainingViews views(ctx, a, config.training);
  ViewLoss loss(ctx, views, config, labels());
  const ConfidenceState confidence = ConfidenceState::initial(ctx, config.super_resolution);
  const auto image = Buffer<float>::from_host(ctx, rendered);
  Buffer<float> gradient(ctx, rendered.size()), grad_confidence = Buffer<float>::zeros(ctx, 2);
  loss.run(ctx, slot, image, confidence.weights, {{0, 1}, {1, 1}, {0, 0}}, {gradient, grad_confidence});
  Outcome o{0, 0, gradient.to_host(ctx), grad_confidence.to_host(ctx)};
  if (loss.image_loss() != nullptr) o.low = image_loss_value(ctx, *loss.image_loss()).total;
  for (const ImageLossSaved& part : loss.fine_losses())
    o.high += image_loss_value(ctx, part).total / static_cast<double>(loss.fine_losses().size());
  return o;
}

double weighted(const Config& config, const Outcome& o) {
  const double w = config.super_resolution.weight;
  return (1 - w) * o.low + w * o.high;
}

}  // namespace

TEST_CASE("view_loss: at scale 1 it is the image loss", "[view_loss]") {
  Config config = preset_config("4drgs");
  const Acquisition a = two_views(true);
  const std::vector<float> rendered = random_values<float>(kLow, 0.1f, 1.0f, 7);
  Context ctx = make_context();
  const auto x = Buffer<float>::from_host(ctx, rendered);
  std::vector<float> target(a.projection(1).begin(), a.projection(1).end());
  const auto y = Buffer<float>::from_host(ctx, target);
  const auto valid = Buffer<std::uint8_t>::from_host(ctx, a.valid_pixels(1));
  const ImageLossInput input{x, y, valid, count_valid(ctx, valid)};
  const auto brightness = static_cast<float>(TrainingViews(ctx, a, config.training).units().line_integral);
  config.training.ssim_weight = 0.3;
  config.training.ssim_range = 2.5;
  const Outcome o = run(config, a, rendered, 1);
  const ImageLossShape shape{kWidth, kHeight, 0.3f, brightness, 2.5f};
  ImageLossSaved saved;
  image_loss_forward(ctx, shape, input, saved);
  Buffer<float> gradient(ctx, kLow);
  image_loss_backward(ctx, shape, input, saved, 1, GradientMode::overwrite, gradient);
  CHECK(o.low == image_loss_value(ctx, saved).total);
  CHECK(o.gradient == gradient.to_host(ctx));
}

TEST_CASE("view_loss: the gradient is that of the weighted sum, for every target", "[view_loss]") {
  using Target = HighResolutionTarget;
  const auto [target, weight] = GENERATE(table<Target, double>({{Target::none, 0.0},
                                                                {Target::upsampled, 1.0},
                                                                {Target::pseudo_labels, 0.4},
                                                                {Target::pseudo_labels, 1.0},
                                                                {Target::both, 0.4},
                                                                {Target::teach, 0.4}}));
  const bool masked = GENERATE(false, true);
  CAPTURE(static_cast<int>(target), weight, masked);
  const Config config = config_for(target, weight);
  const Acquisition a = two_views(masked);
  std::vector<float> rendered = random_values<float>(kHigh, 0.1f, 1.0f, 8);
  const Outcome o = run(config, a, rendered, 1);
  // Along a random direction, by central differences. The step is large because the values are float sums.
  const std::vector<float> direction = random_values<float>(kHigh, -1.0f, 1.0f, 9);
  constexpr float kStep = 2e-3f;
  double expected = 0;
  for (std::size_t i = 0; i < kHigh; ++i) expected += double(o.gradient[i]) * double(direction[i]);
  const auto at = [&](float step) {
    std::vector<float> moved = rendered;
    for (std::size_t i = 0; i < kHigh; ++i) moved[i] += step * direction[i];
    return weighted(config, run(config, a, moved, 1));
  };
  const double numeric = (at(kStep) - at(-kStep)) / (2 * double(kStep));
  CHECK(numeric == Approx(expected).epsilon(2e-3).margin(1e-5));
  CHECK(std::abs(expected) > 1e-5);
}

TEST_CASE("view_loss: both targets share the weight", "[view_loss]") {
  const Acquisition a = two_views(false);
  const std::vector<float> rendered = random_values<float>(kHigh, 0.1f, 1.0f, 8);
  const auto gradient = [&](HighResolutionTarget t) { return run(config_for(t, 1), a, rendered, 0).gradient; };
  const auto both = gradient(HighResolutionTarget::both), up = gradient(HighResolutionTarget::upsampled),
             label = gradient(HighResolutionTarget::pseudo_labels);
  std::vector<float> mean(kHigh);
  for (std::size_t i = 0; i < kHigh; ++i) mean[i] = (up[i] + label[i]) / 2;
  CHECK(relative_l2(both, mean) < 1e-6);
}

TEST_CASE("view_loss: the confidence's weights get the gradient of the loss through I_teach", "[view_loss]") {
  const Acquisition a = two_views(true);
  const std::vector<float> rendered = random_values<float>(kHigh, 0.1f, 1.0f, 8);
  Config config = config_for(HighResolutionTarget::teach, 0.4);
  const Outcome o = run(config, a, rendered, 1);
  constexpr double kStep = 0.02;
  for (int which = 0; which < 2; ++which) {
    const auto at = [&](double step) {
      Config moved = config;
      (which == 0 ? moved.super_resolution.alpha : moved.super_resolution.beta) += step;
      return 0.4 * run(moved, a, rendered, 1).high;
    };
    const double numeric = (at(kStep) - at(-kStep)) / (2 * kStep);
    CHECK(double(o.confidence_gradient[static_cast<std::size_t>(which)]) == Approx(numeric).epsilon(2e-3).margin(1e-6));
  }
  config.super_resolution.learn_confidence = false;
  CHECK(run(config, a, rendered, 1).confidence_gradient == std::vector<float>{0, 0});
}

TEST_CASE("view_loss: a training view without a label is refused by name", "[view_loss]") {
  Context ctx = make_context();
  const Acquisition a = two_views(false);
  const LabelReader none{[](int) { return std::vector<float>{}; }, {}};
  const Config teach = config_for(HighResolutionTarget::teach, 0.4),
               upsampled = config_for(HighResolutionTarget::upsampled, 1);
  const TrainingViews views(ctx, a, teach.training);
  CHECK_THROWS_WITH(ViewLoss(ctx, views, teach, none),
                    Catch::Contains("two views") && Catch::Contains("training view 0"));
  CHECK_NOTHROW(ViewLoss(ctx, views, upsampled, none));
}

TEST_CASE("view_loss: what is rendered as measured is compared with the measurement only", "[view_loss]") {
  const Acquisition a = two_views(true);
  Config config = config_for(HighResolutionTarget::teach, 1);
  config.super_resolution.first_step = 3;
  Context ctx = make_context();
  const TrainingViews views(ctx, a, config.training);
  const ViewLoss loss(ctx, views, config, labels());
  CHECK(loss.detector(3).width_px == kWidth);
  CHECK(loss.detector(4).width_px == kScale * kWidth);
  CHECK(loss.max_pixels() == kHigh);

  const std::vector<float> rendered = random_values<float>(kLow, 0.1f, 1.0f, 7);
  Config low = config;
  low.super_resolution.scale = 1;
  const Outcome coarse = run(config, a, rendered, 1), expected = run(low, a, rendered, 1);
  CHECK(coarse.low == expected.low);
  CHECK(coarse.high == 0);
  CHECK(coarse.gradient == expected.gradient);
  CHECK(coarse.confidence_gradient == std::vector<float>{0, 0});
}

TEST_CASE("view_loss: targets that are not kept give the same bits, and each run reads its view's label",
          "[view_loss]") {
  const Acquisition a = two_views(true);
  const auto target =
      GENERATE(HighResolutionTarget::upsampled, HighResolutionTarget::both, HighResolutionTarget::teach);
  const std::vector<float> rendered = random_values<float>(kHigh, 0.1f, 1.0f, 8);
  Config config = config_for(target, 0.4);
  const Outcome kept = run(config, a, rendered, 1);
  config.super_resolution.keep_labels = false;
  const Outcome read = run(config, a, rendered, 1);
  CHECK(read.gradient == kept.gradient);
  CHECK(read.confidence_gradient == kept.confidence_gradient);
  CHECK(read.high == kept.high);

  Context ctx = make_context();
  std::vector<int> views_read;
  const LabelReader counting{[&](int view) {
                               views_read.push_back(view);
                               return labels().image(view);
                             },
                             {}};
  const TrainingViews views(ctx, a, config.training);
  ViewLoss loss(ctx, views, config, counting);
  const ConfidenceState confidence = ConfidenceState::initial(ctx, config.super_resolution);
  const auto image = Buffer<float>::from_host(ctx, rendered);
  Buffer<float> gradient(ctx, rendered.size()), grad_confidence(ctx, 2);
  for (const std::size_t slot : {1, 0})
    loss.run(ctx, slot, image, confidence.weights, {{0, 1}, {1, 1}, {0, 0}}, {gradient, grad_confidence});
  CHECK(views_read == (target == HighResolutionTarget::upsampled ? std::vector<int>{} : std::vector<int>{0, 1, 1, 0}));
}

TEST_CASE("view_loss: gain and offset get the gradient of L_gt's part of the loss, and stay as they are",
          "[view_loss][gradient]") {
  Context ctx = make_context();
  const Acquisition a = two_views(true);
  Config config = config_for(HighResolutionTarget::upsampled, 0.4);
  config.nuisance.view_gain = config.nuisance.view_offset = true;
  const TrainingViews views(ctx, a, config.training);
  ViewLoss loss(ctx, views, config, labels());
  const auto image = Buffer<float>::from_host(ctx, random_values<float>(kHigh, 0.1f, 1.0f, 8));
  Buffer<float> gradient(ctx, kHigh);
  const auto run_at = [&](float gain, float offset) {
    const ViewNuisance nuisance{{0, 1}, {1, gain}, {0, offset}};
    return loss.run(ctx, 1, image, {}, nuisance, {gradient, {}});
  };
  const auto value = [&](float gain, float offset) {
    run_at(gain, offset);
    return 0.6 * image_loss_value(ctx, *loss.image_loss()).total;
  };
  constexpr float kGain = 1.2f, kOffset = 0.05f, kStep = 0.01f;
  const NuisanceGradient found = run_at(kGain, kOffset);
  const double width = 2 * static_cast<double>(kStep);
  CHECK(found.gain ==
        Approx((value(kGain + kStep, kOffset) - value(kGain - kStep, kOffset)) / width).epsilon(5e-3).margin(1e-5));
  CHECK(found.offset ==
        Approx((value(kGain, kOffset + kStep) - value(kGain, kOffset - kStep)) / width).epsilon(5e-3).margin(1e-5));
  CHECK(std::abs(found.gain) > 1e-3);
  CHECK(std::abs(found.offset) > 1e-3);
}
