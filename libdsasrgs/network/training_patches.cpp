#include "network/training_patches.hpp"

#include <cmath>
#include <map>
#include <utility>

#include "dsasrgs/error.hpp"
#include "network/image_patches.hpp"
#include "network/patch_numbers.hpp"
#include "network/patch_pixels.hpp"
#include "network/refuse_source.hpp"
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
  batch.measured.insert(batch.measured.end(), measured.values.begin(), measured.values.end());
  batch.target.insert(batch.target.end(), target.values.begin(), target.values.end());
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
  PatchBatch held_out_pairs(std::size_t source) const;
  /// Two patches side by side of each of some images.
  PatchBatch held_out_pairs(const VesselImages&) const;

  Context& ctx;
  const NetworkTrainingConfig config;
  const std::uint64_t seed;
  std::vector<double> shares;  ///< of all vessels to train on together, then of `images`
  VesselWindow window;
  std::vector<ImagePatches> images;  ///< to train on
  std::vector<ImagePatches> held_out_images;
  std::vector<VesselImages> held_out_vessels;
  std::vector<std::string> held_out_names;       ///< images, then vessels
  std::map<std::size_t, PatchBatch> validation;  ///< what was asked for
};

TrainingPatches::State::State(Context& context, const NetworkTrainingConfig& c, const NetworkSources& sources)
    : ctx(context), config(c), seed(static_cast<std::uint64_t>(c.seed)), shares(1), window(seed) {
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

PatchBatch TrainingPatches::State::held_out_pairs(std::size_t source) const {
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
    const int room = image.width_px - fine_side();
    for (const int column : {0, room}) {
      const Image target = cut_patch(image, room / 2, column, fine_side(), 1, 1);
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
