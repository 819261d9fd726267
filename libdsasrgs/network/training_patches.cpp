// SPDX-License-Identifier: Apache-2.0
#include "network/training_patches.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "dsasrgs/error.hpp"
#include "network/image_patches.hpp"
#include "network/patch_numbers.hpp"
#include "network/patch_pixels.hpp"
#include "network/refuse_source.hpp"
#include "network/render_channels.hpp"
#include "network/render_patches.hpp"
#include "network/vessel_images.hpp"

namespace dsasrgs {

namespace {

constexpr int kAttempts = 16;  // to find a patch that shows something
constexpr std::size_t kHeldOutPatches = 64, kHeldOutVesselImages = 16;
constexpr double kHeldOutNoise = 0.005;
// What is held out does not depend on the seed: scores of different trainings are of the same patches.
constexpr std::uint64_t kHeldOutSeed = 0;
constexpr std::int64_t kHeldOutStep = 0;  // training begins with 1

void append(PatchBatch& batch, const Image& measured, const Image& target) {
  batch.input.insert(batch.input.end(), measured.values.begin(), measured.values.end());
  batch.target.insert(batch.target.end(), target.values.begin(), target.values.end());
}

void append(PatchBatch& batch, const RenderedPatch& p, int scale) {
  append(batch, p.measured, p.target);
  const std::vector<float> channels = render_channels(p.rendered, scale);
  batch.input.insert(batch.input.end(), channels.begin(), channels.end());
}

double checked_share(const std::string& name, double share) {
  if (!(share >= 0) || !std::isfinite(share))
    refuse_source(name, "share: expected 0 or more, found " + std::to_string(share));
  return share;
}

}  // namespace

struct TrainingPatches::State {
  State(Context&, const NetworkTrainingConfig&, const NetworkSources&);

  int fine_side() const { return config.patch_px * config.shape.scale; }
  /// Of an image of the step's window.
  Image draw_vessels(std::int64_t step, PatchNumbers&);
  void add_training_pair(PatchBatch&, std::int64_t step, std::uint32_t item);
  void add_rendered(PatchBatch&, const RenderPatches&, PatchNumbers&) const;
  PatchBatch held_out_pairs(std::size_t source) const;
  /// Two patches side by side of each of some images.
  PatchBatch held_out_pairs(const VesselImages&) const;

  Context& ctx;
  const NetworkTrainingConfig config;
  const std::uint64_t seed;
  std::vector<double> shares;  ///< of all vessels to train on together, then of `images`, then of `renders`
  VesselWindow window;
  std::vector<ImagePatches> images;  ///< to train on
  std::vector<RenderPatches> renders, held_out_renders;
  std::vector<ImagePatches> held_out_images;
  std::vector<VesselImages> held_out_vessels;
  std::vector<std::string> held_out_names;       ///< images, then vessels, or renders
  std::map<std::size_t, PatchBatch> validation;  ///< what was asked for
};

TrainingPatches::State::State(Context& context, const NetworkTrainingConfig& c, const NetworkSources& sources)
    : ctx(context), config(c), seed(static_cast<std::uint64_t>(c.seed)), shares(1), window(seed) {
  if (c.shape.reads_render && !(sources.images.empty() && sources.vessels.empty()))
    refuse_source(sources.images.empty() ? sources.vessels[0].name : sources.images[0].name,
                  "expected renders alone for a network that reads the render (reads_render)");
  if (!c.shape.reads_render && !sources.renders.empty())
    refuse_source(sources.renders[0].name,
                  "expected a network that reads the render (reads_render), found one that does not");
  for (const NetworkRenders& source : sources.renders) {
    if (source.held_out) held_out_names.push_back(source.name);
    (source.held_out ? held_out_renders : renders).emplace_back(config, source);
    if (!source.held_out) shares.push_back(checked_share(source.name, source.share));
  }
  for (const NetworkImages& source : sources.images) {
    if (source.held_out) held_out_names.push_back(source.name);
    (source.held_out ? held_out_images : images).emplace_back(config, source);
    if (!source.held_out) shares.push_back(checked_share(source.name, source.share));
  }
  for (const NetworkVessels& source : sources.vessels) {
    VesselImages vessels(ctx, config, source);
    if (source.held_out) {
      held_out_names.push_back(source.name);
      held_out_vessels.push_back(vessels);
    } else {
      window.add(vessels, checked_share(source.name, source.share));
      shares[0] += source.share;
    }
  }
  double sum = 0;
  for (const double share : shares) sum += share;
  if (!(sum > 0) || !std::isfinite(sum))
    throw InvalidArgument("TrainingPatches: sources: expected one that is not held out and has a share, found none");
}

Image TrainingPatches::State::draw_vessels(std::int64_t step, PatchNumbers& numbers) {
  const Image& image = window.at(ctx, step, numbers.index(VesselWindow::kImages));
  // The mean of two, which is rather in the middle than at the edge: the image is aimed at a vessel.
  const auto offset = [&] {
    const double first = numbers.uniform(), second = numbers.uniform();
    return static_cast<int>(std::lround((first + second) / 2 * (image.width_px - fine_side())));
  };
  const int row = offset(), column = offset();
  return cut_patch(image, row, column, fine_side(), 1, 1);
}

void TrainingPatches::State::add_training_pair(PatchBatch& batch, std::int64_t step, std::uint32_t item) {
  PatchNumbers numbers(seed, RandomStream::network_patches, step, item);
  const std::size_t source = numbers.index(shares);
  const bool simulated = source == 0;
  if (config.shape.reads_render) return add_rendered(batch, renders[source - 1], numbers);
  Image target;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    target = simulated ? draw_vessels(step, numbers) : images[source - 1].draw(numbers);
    if (!all_equal(block_means(target, config.shape.scale))) break;
  }
  target = turned(target, numbers.index(8));
  multiply(target, simulated ? numbers.log_uniform(config.vessel_brightness_low, config.vessel_brightness_high)
                             : numbers.log_uniform(config.image_brightness_low, config.image_brightness_high));
  if (simulated && numbers.uniform() < config.blush_share) add_blush(target, numbers, config.blush);
  Image measured = block_means(target, config.shape.scale);
  if (simulated) add_noise(measured, numbers.log_uniform(config.noise_low, config.noise_high), seed, step, item);
  append(batch, measured, target);
}

void TrainingPatches::State::add_rendered(PatchBatch& batch, const RenderPatches& source, PatchNumbers& numbers) const {
  RenderedPatch patch = source.draw(numbers);
  for (int attempt = 1; attempt < kAttempts && all_equal(patch.target); ++attempt) patch = source.draw(numbers);
  const std::size_t orientation = numbers.index(8);
  const double brightness = numbers.log_uniform(config.image_brightness_low, config.image_brightness_high);
  for (Image* image : {&patch.measured, &patch.rendered, &patch.target}) {
    *image = turned(*image, orientation);
    multiply(*image, brightness);
  }
  append(batch, patch, config.shape.scale);
}

PatchBatch TrainingPatches::State::held_out_pairs(std::size_t source) const {
  if (config.shape.reads_render) {
    PatchBatch rendered;
    for (const RenderedPatch& patch : held_out_renders[source].spread(kHeldOutPatches))
      append(rendered, patch, config.shape.scale);
    return rendered;
  }
  if (source >= held_out_images.size()) return held_out_pairs(held_out_vessels[source - held_out_images.size()]);
  PatchBatch batch;
  for (const Image& target : held_out_images[source].spread(kHeldOutPatches))
    append(batch, block_means(target, config.shape.scale), target);
  return batch;
}

PatchBatch TrainingPatches::State::held_out_pairs(const VesselImages& vessels) const {
  PatchBatch batch;
  std::uint32_t item = 0;
  for (std::size_t i = 0; i < kHeldOutVesselImages; ++i) {
    PatchNumbers numbers(kHeldOutSeed, RandomStream::network_vessels, static_cast<std::int64_t>(i), 1);
    const Image image = vessels.draw(ctx, numbers);
    const int room = image.width_px - fine_side(), middle = room / 2, left = std::max(middle - fine_side() / 2, 0);
    for (const int column : {left, std::min(left + fine_side(), room)}) {
      const Image target = cut_patch(image, middle, column, fine_side(), 1, 1);
      Image measured = block_means(target, config.shape.scale);
      add_noise(measured, kHeldOutNoise, kHeldOutSeed, kHeldOutStep, item++);
      append(batch, measured, target);
    }
  }
  return batch;
}

TrainingPatches::TrainingPatches(Context& ctx, const NetworkTrainingConfig& config, const NetworkSources& sources)
    : state_(std::make_unique<State>(ctx, config, sources)) {}
TrainingPatches::TrainingPatches(TrainingPatches&&) noexcept = default;
TrainingPatches& TrainingPatches::operator=(TrainingPatches&&) noexcept = default;
TrainingPatches::~TrainingPatches() = default;

PatchBatch TrainingPatches::training(std::int64_t step) {
  PatchBatch batch;
  for (int item = 0; item < state_->config.batch; ++item)
    state_->add_training_pair(batch, step, static_cast<std::uint32_t>(item));
  return batch;
}

PatchBatch TrainingPatches::validation(std::size_t source) {
  if (source >= held_out().size())
    throw InvalidArgument("TrainingPatches::validation: source: expected one of " + std::to_string(held_out().size()) +
                          ", found " + std::to_string(source));
  const auto found = state_->validation.find(source);
  if (found != state_->validation.end()) return found->second;
  return state_->validation.emplace(source, state_->held_out_pairs(source)).first->second;
}

const std::vector<std::string>& TrainingPatches::held_out() const { return state_->held_out_names; }

}  // namespace dsasrgs
