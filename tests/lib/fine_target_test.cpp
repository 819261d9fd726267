// SPDX-License-Identifier: Apache-2.0
// The fine target where pixels are invalid, with nuisance parameters and without a target; training with it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "label_trust.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/labels.hpp"
#include "support/random_values.hpp"
#include "support/small_case.hpp"
#include "support/temporary_folder.hpp"
#include "train/checkpoint.hpp"
#include "train/view_loss.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr int kWidth = 12, kHeight = 9, kScale = 2;
constexpr std::size_t kLow = kWidth * kHeight, kHigh = kLow * kScale * kScale;

Acquisition one_view(std::vector<float> image) {
  Acquisition a;
  a.name = "case";
  a.detector = {kWidth, kHeight, 1, 1};
  a.poses.resize(1);
  a.projections = std::move(image);
  return a;
}

/// A block of invalid pixels, one of them at the border.
std::vector<std::uint8_t> block() {
  std::vector<std::uint8_t> valid(kLow, 1);
  for (std::size_t row = 0; row < 4; ++row)
    for (std::size_t column = 3; column < 7; ++column) valid[row * kWidth + column] = 0;
  return valid;
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

struct Outcome {
  double low, high;
  std::vector<float> gradient, confidence_gradient;
};

Outcome run(const Config& config, const Acquisition& a, const std::vector<float>& label,
            const std::vector<float>& rendered, float gain = 1, float offset = 0,
            const std::vector<float>& given_confidence = {}) {
  Context ctx = make_context();
  const TrainingViews views(ctx, a, config.training);
  ViewLoss loss(ctx, views, config, {[&](int) { return label; }, [&](int) { return given_confidence; }});
  const ConfidenceState confidence = ConfidenceState::initial(ctx, config.super_resolution);
  const auto image = Buffer<float>::from_host(ctx, rendered);
  Buffer<float> gradient(ctx, rendered.size()), grad_confidence = Buffer<float>::zeros(ctx, 2);
  loss.run(ctx, 0, image, confidence.weights, {{0}, {gain}, {offset}}, {gradient, grad_confidence});
  Outcome o{0, 0, gradient.to_host(ctx), grad_confidence.to_host(ctx)};
  if (loss.image_loss() != nullptr) o.low = image_loss_value(ctx, *loss.image_loss()).total;
  for (const ImageLossSaved& part : loss.fine_losses())
    o.high += image_loss_value(ctx, part).total / static_cast<double>(loss.fine_losses().size());
  return o;
}

Config teaching_config(int steps) {
  Config config = small_config(steps);
  config.super_resolution.scale = 2;
  config.super_resolution.weight = 0.4;
  config.super_resolution.target = HighResolutionTarget::teach;
  config.super_resolution.first_step = 3;
  return config;
}

}  // namespace

TEST_CASE("fine target: nothing under an invalid pixel is seen", "[view_loss]") {
  Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  a.valid = block();
  std::vector<float> label = random_values<float>(kHigh, 0.2f, 1.0f, 2);
  const std::vector<float> rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3);
  Acquisition burnt = a;
  std::vector<float> burnt_label = label;
  for (std::size_t p = 0; p < kLow; ++p)
    if (a.valid[p] == 0) burnt.projections[p] = 7;
  for (std::size_t i = 0; i < kHigh; ++i)
    if (a.valid[i / (kScale * kWidth) / kScale * kWidth + i % (kScale * kWidth) / kScale] == 0) burnt_label[i] = 9;
  for (const auto target : {HighResolutionTarget::upsampled, HighResolutionTarget::both, HighResolutionTarget::teach,
                            HighResolutionTarget::weighted}) {
    const Config config = config_for(target, 0.4);
    const Outcome before = run(config, a, label, rendered), after = run(config, burnt, burnt_label, rendered);
    CHECK(before.gradient == after.gradient);
    CHECK(before.high == after.high);
    CHECK(before.confidence_gradient == after.confidence_gradient);
    burnt_label[5] += 0.25f;  // a valid one is
    if (target != HighResolutionTarget::upsampled)
      CHECK(before.gradient != run(config, burnt, burnt_label, rendered).gradient);
    burnt_label[5] -= 0.25f;
  }
}

TEST_CASE("fine target: a constant image stays one beside invalid pixels", "[view_loss]") {
  Acquisition a = one_view(std::vector<float>(kLow, 0.6f));
  a.valid = block();
  for (std::size_t p = 0; p < kLow; ++p)
    if (a.valid[p] == 0) a.projections[p] = 0;
  Config config = config_for(HighResolutionTarget::upsampled, 1);
  config.training.ssim_weight = 0;  // L1: the mean difference
  CHECK(run(config, a, {}, std::vector<float>(kHigh, 0.6f)).high == Approx(0).margin(1e-6));
  CHECK(run(config, a, {}, std::vector<float>(kHigh, 0.7f)).high == Approx(0.1 / 0.6));
}

TEST_CASE("fine target: without one there is L_gt only, whatever the weight", "[view_loss]") {
  const Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  const std::vector<float> rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3);
  const Outcome plain = run(config_for(HighResolutionTarget::none, 0), a, {}, rendered);
  for (const double weight : {0.4, 1.0}) {
    const Outcome o = run(config_for(HighResolutionTarget::none, weight), a, {}, rendered);
    CHECK(o.gradient == plain.gradient);
    CHECK(o.low == plain.low);
  }
}

TEST_CASE("fine target: weighted, trusted outright, is the label's loss", "[view_loss]") {
  const Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  const std::vector<float> label = random_values<float>(kHigh, 0.2f, 1.0f, 2),
                           rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3);
  for (const double ssim_weight : {0.0, 0.3, 1.0}) {
    Config config = config_for(HighResolutionTarget::pseudo_labels, 0.4);
    config.training.ssim_weight = ssim_weight;
    const Outcome expected = run(config, a, label, rendered);
    config.super_resolution.target = HighResolutionTarget::weighted;
    config.super_resolution.consistency = false;
    for (const std::vector<float>& given : {std::vector<float>{}, std::vector<float>(kHigh, 1.0f)}) {
      const Outcome o = run(config, a, label, rendered, 1, 0, given);
      CHECK(relative_l2(o.gradient, expected.gradient) < 1e-6);
      CHECK(o.high == expected.high);
      CHECK(o.low == expected.low);
    }
    // What the label averages to is far from random measurements: with consistency it counts less.
    config.super_resolution.consistency = true;
    CHECK(run(config, a, label, rendered).high < 0.99 * expected.high);
  }
}

TEST_CASE("fine target: weighted, a label that is not trusted asks for nothing", "[view_loss]") {
  const Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  const std::vector<float> label = random_values<float>(kHigh, 0.2f, 1.0f, 2),
                           rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3);
  for (const double ssim_weight : {0.0, 0.3}) {
    Config config = config_for(HighResolutionTarget::weighted, 1);
    config.training.ssim_weight = ssim_weight;
    const Outcome o = run(config, a, label, rendered, 1, 0, std::vector<float>(kHigh, 0.0f));
    CHECK(max_difference(o.gradient, std::vector<float>(kHigh, 0.0f)) < 1e-9);
    CHECK(o.high == Approx(0).margin(1e-6));
  }
}

TEST_CASE("fine target: weighted, the gradient of L1 is the confidence times the label's", "[view_loss]") {
  const Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  const std::vector<float> label = random_values<float>(kHigh, 0.2f, 1.0f, 2),
                           rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3),
                           given = random_values<float>(kHigh, 0.0f, 1.0f, 5);
  const double unit = brightest_line_integral(a);
  const auto config = [](HighResolutionTarget target, bool consistency) {
    Config c = config_for(target, 1);
    c.training.ssim_weight = 0;
    c.super_resolution.consistency = consistency;
    return c;
  };
  const Outcome plain = run(config(HighResolutionTarget::pseudo_labels, false), a, label, rendered);
  const std::vector<float> consistency = label_consistency(label, a.projections, {}, a.detector, kScale, unit);
  for (const bool with_consistency : {false, true}) {
    const Outcome o = run(config(HighResolutionTarget::weighted, with_consistency), a, label, rendered, 1, 0, given);
    std::vector<double> expected;
    double value = 0;
    for (std::size_t i = 0; i < kHigh; ++i) {
      const double c = static_cast<double>(given[i]) * (with_consistency ? static_cast<double>(consistency[i]) : 1);
      expected.push_back(c * static_cast<double>(plain.gradient[i]));
      value += c * std::abs(static_cast<double>(rendered[i]) - static_cast<double>(label[i])) / unit / kHigh;
    }
    CHECK(relative_l2(o.gradient, expected) < 1e-5);
    CHECK(o.high == Approx(value).epsilon(1e-5));
  }
}

TEST_CASE("fine target: a confidence that is given counts only where it may", "[view_loss]") {
  const Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  const std::vector<float> label = random_values<float>(kHigh, 0.2f, 1.0f, 2),
                           rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3),
                           given = random_values<float>(kHigh, 0.0f, 1.0f, 5);
  for (const auto target : {HighResolutionTarget::teach, HighResolutionTarget::weighted}) {
    Config config = config_for(target, 0.4);
    const Outcome without = run(config, a, label, rendered), heeded = run(config, a, label, rendered, 1, 0, given);
    CHECK(heeded.gradient != without.gradient);
    config.super_resolution.given_confidence = false;
    const Outcome ignored = run(config, a, label, rendered, 1, 0, given);
    CHECK(ignored.gradient == without.gradient);
    CHECK(ignored.high == without.high);
    CHECK(ignored.confidence_gradient == without.confidence_gradient);
    // What `teach` learns of similarity and texture is learnt only where no confidence is taken as given.
    CHECK((heeded.confidence_gradient == std::vector<float>{0, 0}));
    CHECK((ignored.confidence_gradient != std::vector<float>{0, 0}) == (target == HighResolutionTarget::teach));
  }
}

TEST_CASE("fine target: gradients with nuisance parameters are those of the loss", "[view_loss][gradient]") {
  const Acquisition a = one_view(random_values<float>(kLow, 0.2f, 1.0f, 1));
  const std::vector<float> label = random_values<float>(kHigh, 0.2f, 1.0f, 2);
  std::vector<float> rendered = random_values<float>(kHigh, 0.2f, 1.0f, 3);
  constexpr double kWeight = 0.4;
  constexpr float kGain = 1.3f, kOffset = 0.07f;
  for (const auto target : {HighResolutionTarget::upsampled, HighResolutionTarget::teach}) {
    Config config = config_for(target, kWeight);
    config.nuisance.view_gain = config.nuisance.view_offset = true;
    const Outcome o = run(config, a, label, rendered, kGain, kOffset);
    const auto value = [&] {
      const Outcome at = run(config, a, label, rendered, kGain, kOffset);
      return (1 - kWeight) * at.low + kWeight * at.high;
    };
    // Along the gradient itself, so that the differences stand out of the rounding.
    double expected = 0;
    for (const float g : o.gradient) expected += static_cast<double>(g) * g;
    const float step = 0.02f / std::sqrt(static_cast<float>(expected));
    const std::vector<float> centre = rendered;
    for (std::size_t i = 0; i < kHigh; ++i) rendered[i] = centre[i] + step * o.gradient[i];
    const double above = value();
    for (std::size_t i = 0; i < kHigh; ++i) rendered[i] = centre[i] - step * o.gradient[i];
    const double below = value();
    rendered = centre;
    CHECK((above - below) / (2 * static_cast<double>(step)) == Approx(expected).epsilon(5e-3));
    // At the measurement, seen through gain and offset, L_gt and the upsampled target agree.
    if (target == HighResolutionTarget::upsampled) {
      config.nuisance.view_gain = config.nuisance.view_offset = false;
      CHECK(run(config, a, label, rendered).high != Approx(o.high).epsilon(1e-3));
    }
  }
  Config config = config_for(HighResolutionTarget::upsampled, 1);
  config.nuisance.view_gain = true;
  CHECK_THROWS_WITH(validate(config, "here"), Catch::Contains("super_resolution.weight: expected less than 1"));
}

TEST_CASE("fine target: training learns the confidence, and a checkpoint continues it", "[reconstructor]") {
  const TemporaryFolder folder;
  Context ctx = make_context();
  const Simulation simulation = small_simulation(ctx);
  const auto labels =
      std::make_shared<const PseudoLabels>(lanczos_labels(simulation.acquisition, 2, folder / "labels.h5"));
  Config config = teaching_config(60);
  const int before = is_emulated(ctx) ? 8 : 20, after = 4;
  std::vector<float> kept_positions;
  for (const bool keep_labels : {true, false}) {
    config.super_resolution.keep_labels = keep_labels;
    Reconstructor whole(ctx, simulation.acquisition, config, labels);
    for (int i = 0; i < before; ++i) whole.step();
    const auto path = folder / (keep_labels ? "kept.h5" : "read.h5");
    whole.save_checkpoint(path);
    Reconstructor resumed(ctx, simulation.acquisition, path, labels);
    for (int i = 0; i < after; ++i) {
      whole.step();
      resumed.step();
    }
    const auto again = folder / "again.h5", other = folder / "other.h5";
    whole.save_checkpoint(again);
    resumed.save_checkpoint(other);
    const TrainingState first = read_checkpoint(ctx, path), a = read_checkpoint(ctx, again),
                        b = read_checkpoint(ctx, other);
    const std::vector<float> start{static_cast<float>(config.super_resolution.alpha),
                                   static_cast<float>(config.super_resolution.beta)};
    const auto weights = [&](const TrainingState& c) { return c.optimizer.confidence.weights.to_host(ctx); };
    CHECK(weights(first) != start);
    CHECK(weights(a) != weights(first));
    CHECK(weights(a) == weights(b));
    CHECK(a.optimizer.confidence.second.to_host(ctx) == b.optimizer.confidence.second.to_host(ctx));
    const std::vector<float> positions = whole.model().cloud.position_mm.to_host(ctx);
    CHECK(positions == resumed.model().cloud.position_mm.to_host(ctx));
    if (keep_labels) kept_positions = positions;
    CHECK(positions == kept_positions);
  }
}

TEST_CASE("fine target: what a target lacks is found before the initialisation", "[reconstructor]") {
  const TemporaryFolder folder;
  Context ctx = make_context();
  Acquisition a = small_simulation(ctx).acquisition;
  a.name = "case.h5";
  const Config config = teaching_config(10);
  CHECK_THROWS_WITH(Reconstructor(ctx, a, config),
                    Catch::Contains("super_resolution.target: expected none or upsampled"));
  CHECK_THROWS_WITH(
      Reconstructor(ctx, a, config, lanczos_labels(a, 3, folder / "threefold.h5")),
      Catch::Contains("threefold.h5: /super_resolution/pseudo_labels@scale: expected 2") && Catch::Contains("found 3"));
  a.valid.assign(a.projections.size(), 1);
  const std::size_t pixels = a.detector.num_pixels();
  std::fill_n(a.valid.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(a.train_views[2]) * pixels),
              pixels, std::uint8_t{0});
  CHECK_THROWS_WITH(Reconstructor(ctx, a, small_config(10)),
                    Catch::Contains("case.h5: /valid: expected a valid pixel in training view " +
                                    std::to_string(a.train_views[2]) + ", found none"));
}
