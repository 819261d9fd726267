#include "train/view_loss.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "dsasrgs/error.hpp"
#include "elementwise/elementwise.hpp"
#include "refined_mask.hpp"
#include "train/initialize.hpp"

namespace dsasrgs {

namespace {

/// Adam on one number, in double: the change to add to a nuisance parameter.
double adam_scalar(double gradient, double& first, double& second, std::int64_t update, double rate) {
  first = 0.9 * first + 0.1 * gradient;
  second = 0.999 * second + 0.001 * gradient * gradient;
  const double m = first / (1 - std::pow(0.9, static_cast<double>(update)));
  const double v = second / (1 - std::pow(0.999, static_cast<double>(update)));
  return v > 0 ? -rate * m / std::sqrt(v) : 0;
}

ImageLossShape loss_shape(const Detector& detector, const Config& config) {
  return {detector.width_px, detector.height_px, static_cast<float>(config.training.ssim_weight)};
}

/// Invalid pixels take the value of a valid one nearby (breadth-first over the four neighbours), so that interpolation
/// and windows carry nothing from under them into their surroundings.
void fill_invalid(const std::vector<std::uint8_t>& valid, const Detector& d, std::vector<float>& image) {
  const auto width = static_cast<std::size_t>(d.width_px);
  std::vector<std::uint8_t> known(valid);
  std::vector<std::size_t> queue;
  for (std::size_t p = 0; p < known.size(); ++p)
    if (known[p] != 0) queue.push_back(p);
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const std::size_t p = queue[next], column = p % width;
    const auto spread_to = [&](std::size_t q) {
      if (known[q] != 0) return;
      known[q] = 1;
      image[q] = image[p];
      queue.push_back(q);
    };
    if (column > 0) spread_to(p - 1);
    if (column + 1 < width) spread_to(p + 1);
    if (p >= width) spread_to(p - width);
    if (p + width < known.size()) spread_to(p + width);
  }
}

bool needs_labels(HighResolutionTarget target) {
  return target == HighResolutionTarget::pseudo_labels || target == HighResolutionTarget::both ||
         target == HighResolutionTarget::teach;
}

}  // namespace

ConfidenceState ConfidenceState::initial(Context& ctx, const SuperResolutionConfig& config) {
  return {Buffer<float>::from_host(ctx, {static_cast<float>(config.alpha), static_cast<float>(config.beta)}),
          Buffer<float>::zeros(ctx, 2), Buffer<float>::zeros(ctx, 2), Buffer<float>::zeros(ctx, 2)};
}

ViewLoss::ViewLoss(Context& ctx, const Acquisition& acquisition, const Config& config, const std::vector<int>& views,
                   LabelReader labels)
    : config_(config),
      views_(views),
      labels_(std::move(labels)),
      acquisition_name_(acquisition.name),
      low_detector_(acquisition.detector),
      high_detector_(acquisition.detector) {
  const SuperResolutionConfig& sr = config.super_resolution;
  if (sr.scale > 1) high_detector_ = low_detector_.refined(sr.scale);
  resample_ = {low_detector_.width_px, low_detector_.height_px, sr.scale};
  low_shape_ = loss_shape(low_detector_, config);
  high_shape_ = loss_shape(high_detector_, config);
  const std::size_t low_pixels = low_detector_.num_pixels(), high_pixels = high_detector_.num_pixels();
  grad_low_ = Buffer<float>(ctx, low_pixels);
  low_ = Buffer<float>(ctx, sr.scale > 1 ? low_pixels : 0);
  adjusted_ = Buffer<float>(ctx, uses_nuisance() ? low_pixels : 0);
  fine_adjusted_ = Buffer<float>(ctx, uses_nuisance() && sr.scale > 1 ? high_pixels : 0);
  const bool teach = sr.scale > 1 && sr.target == HighResolutionTarget::teach;
  teach_ = Buffer<float>(ctx, teach ? high_pixels : 0);
  grad_teach_ = Buffer<float>(ctx, teach ? high_pixels : 0);

  for (const int view : views) {
    Measured m;
    m.low = Buffer<float>::from_host(ctx, training_image(acquisition, view, config));
    m.low_valid = Buffer<std::uint8_t>::from_host(ctx, acquisition.valid_pixels(view));
    m.num_low_valid = count_valid(ctx, m.low_valid);
    measured_.push_back(std::move(m));
  }
  if (sr.scale == 1 || fine_weight() <= 0) return;
  for (std::size_t slot = 0; slot < views.size(); ++slot) {  // all, so that a label that is missing is found now
    if (!sr.keep_labels) fine_.clear();
    fine_.push_back(make_fine_target(ctx, slot));
  }
}

ViewLoss::FineTarget ViewLoss::make_fine_target(Context& ctx, std::size_t slot) const {
  const SuperResolutionConfig& sr = config_.super_resolution;
  const std::size_t high_pixels = high_detector_.num_pixels();
  const int view = views_[slot];
  const Measured& measured = measured_[slot];
  FineTarget t;
  const std::vector<std::uint8_t> low_valid = measured.low_valid.to_host(ctx),
                                  valid = refined_mask(low_valid, low_detector_, sr.scale);
  t.valid = Buffer<std::uint8_t>::from_host(ctx, valid);
  t.num_valid = count_valid(ctx, t.valid);
  t.upsampled = Buffer<float>(ctx, high_pixels);
  if (low_valid.empty()) {
    upsample_bicubic(ctx, resample_, measured.low, t.upsampled);
  } else {
    std::vector<float> filled = measured.low.to_host(ctx);
    fill_invalid(low_valid, low_detector_, filled);
    upsample_bicubic(ctx, resample_, Buffer<float>::from_host(ctx, filled), t.upsampled);
  }
  if (!needs_labels(sr.target)) return t;

  std::vector<float> label = labels_.image ? labels_.image(view) : std::vector<float>{};
  if (label.size() != high_pixels)
    throw BadInput(acquisition_name_, "/super_resolution/pseudo_labels",
                   "a label of " + std::to_string(high_detector_.width_px) + " x " +
                       std::to_string(high_detector_.height_px) + " pixels for training view " + std::to_string(view),
                   label.empty() ? "none" : std::to_string(label.size()) + " pixels");
  if (config_.training.clip_negative)
    for (float& v : label) v = std::max(v, 0.0f);
  if (!valid.empty()) {  // equal images there: similarity and texture of valid pixels see nothing else
    const std::vector<float> upsampled = t.upsampled.to_host(ctx);
    for (std::size_t i = 0; i < label.size(); ++i)
      if (valid[i] == 0) label[i] = upsampled[i];
  }
  t.label = Buffer<float>::from_host(ctx, label);
  if (sr.target != HighResolutionTarget::teach) return t;

  const std::vector<float> given = labels_.confidence ? labels_.confidence(view) : std::vector<float>{};
  t.given_confidence = Buffer<float>::from_host(ctx, given);
  if (given.empty()) {
    t.similarity = Buffer<float>(ctx, high_pixels);
    t.richness = Buffer<float>(ctx, high_pixels);
    ssim_map(ctx, high_shape_, t.label, t.upsampled, t.similarity);
    texture_richness(ctx, {high_detector_.width_px, high_detector_.height_px}, t.label, t.richness);
  }
  return t;
}

const ViewLoss::FineTarget& ViewLoss::fine_target(Context& ctx, std::size_t slot) {
  if (config_.super_resolution.keep_labels) return fine_[slot];
  fine_.clear();
  fine_.push_back(make_fine_target(ctx, slot));
  return fine_.back();
}

void ViewLoss::run(Context& ctx, std::size_t slot, View<const float> rendered, View<float> grad_rendered,
                   ConfidenceState& confidence, ViewNuisance& nuisance, NuisanceMoments& moments, float nuisance_rate) {
  const bool as_measured = rendered.size() == low_detector_.num_pixels();
  has_low_value_ = as_measured || fine_weight() < 1;
  if (as_measured) return low_loss(ctx, slot, rendered, grad_rendered, 1, nuisance, moments, nuisance_rate);

  const auto weight = static_cast<float>(fine_weight());
  const auto add_low_loss = [&](GradientMode mode) {
    pool_average(ctx, resample_, rendered, low_);
    low_loss(ctx, slot, low_, grad_low_, 1 - weight, nuisance, moments, nuisance_rate);
    pool_average_adjoint(ctx, resample_, grad_low_.view(), mode, grad_rendered);
  };
  if (uses_nuisance() && !fine_.empty()) {
    // The targets are made of what was measured. The gain is the one of before the update.
    const float gain = nuisance.gain[slot];
    affine_values(ctx, gain, nuisance.offset[slot], rendered, fine_adjusted_);
    zero_bytes(ctx, grad_rendered.data(), grad_rendered.size() * sizeof(float));
    fine_loss(ctx, slot, fine_adjusted_, grad_rendered, confidence);
    scale_values(ctx, gain, grad_rendered, grad_rendered);
    return add_low_loss(GradientMode::accumulate);
  }
  if (weight < 1)
    add_low_loss(GradientMode::overwrite);
  else
    zero_bytes(ctx, grad_rendered.data(), grad_rendered.size() * sizeof(float));
  if (!fine_.empty()) fine_loss(ctx, slot, rendered, grad_rendered, confidence);
}

void ViewLoss::fine_loss(Context& ctx, std::size_t slot, View<const float> rendered, View<float> grad_rendered,
                         ConfidenceState& confidence) {
  const SuperResolutionConfig& sr = config_.super_resolution;
  const auto weight = static_cast<float>(fine_weight());
  const FineTarget& t = fine_target(ctx, slot);
  switch (sr.target) {
    case HighResolutionTarget::none:
      break;
    case HighResolutionTarget::upsampled:
      high_loss(ctx, t, rendered, t.upsampled, weight, grad_rendered);
      break;
    case HighResolutionTarget::pseudo_labels:
      high_loss(ctx, t, rendered, t.label, weight, grad_rendered);
      break;
    case HighResolutionTarget::both:
      high_loss(ctx, t, rendered, t.upsampled, weight / 2, grad_rendered);
      high_loss(ctx, t, rendered, t.label, weight / 2, grad_rendered);
      break;
    case HighResolutionTarget::teach:
      teach_loss(ctx, t, rendered, grad_rendered, confidence);
      break;
  }
}

void ViewLoss::as_measured(Context& ctx, std::size_t slot, View<const float> rendered, const ViewNuisance& nuisance,
                           View<float> low) const {
  ResampleShape shape = resample_;
  if (rendered.size() == low_detector_.num_pixels()) shape.scale = 1;
  pool_average(ctx, shape, rendered, low);
  if (uses_nuisance()) affine_values(ctx, nuisance.gain[slot], nuisance.offset[slot], low, low);
}

void ViewLoss::low_loss(Context& ctx, std::size_t slot, View<const float> low, View<float> grad_low, float weight,
                        ViewNuisance& nuisance, NuisanceMoments& m, float nuisance_rate) {
  const Measured& t = measured_[slot];
  ImageLossInput input{low, t.low, t.low_valid, t.num_low_valid};
  float& gain = nuisance.gain[slot];
  float& offset = nuisance.offset[slot];
  if (uses_nuisance()) {
    affine_values(ctx, gain, offset, low, adjusted_);
    input.rendered = adjusted_;
  }
  image_loss_forward(ctx, low_shape_, input, low_saved_);
  image_loss_backward(ctx, low_shape_, input, low_saved_, weight, GradientMode::overwrite, grad_low);
  if (!uses_nuisance()) return;
  const Sums sums = sum_and_product(ctx, grad_low, low);
  scale_values(ctx, gain, grad_low, grad_low);
  ++m.updates;
  const double rate = static_cast<double>(nuisance_rate);
  if (config_.nuisance.view_gain)
    gain += static_cast<float>(adam_scalar(sums.product, m.gain_first, m.gain_second, m.updates, rate));
  if (config_.nuisance.view_offset)
    offset += static_cast<float>(adam_scalar(sums.sum, m.offset_first, m.offset_second, m.updates, rate));
}

void ViewLoss::high_loss(Context& ctx, const FineTarget& t, View<const float> rendered, View<const float> target,
                         float weight, View<float> grad_rendered) {
  const ImageLossInput input{rendered, target, t.valid, t.num_valid};
  image_loss_forward(ctx, high_shape_, input, high_saved_);
  image_loss_backward(ctx, high_shape_, input, high_saved_, weight, GradientMode::accumulate, grad_rendered);
}

void ViewLoss::teach_loss(Context& ctx, const FineTarget& t, View<const float> rendered, View<float> grad_rendered,
                          ConfidenceState& confidence) {
  const SuperResolutionConfig& sr = config_.super_resolution;
  const auto weight = static_cast<float>(sr.weight);
  const TeachInput input{t.label, t.upsampled, t.similarity, t.richness, t.given_confidence};
  const ConfidenceCentre centre{static_cast<float>(sr.similarity_centre), static_cast<float>(sr.texture_centre)};
  teach_forward(ctx, input, centre, confidence.weights, teach_);
  high_loss(ctx, t, rendered, teach_, weight, grad_rendered);
  if (!sr.learn_confidence || t.given_confidence.size() > 0) return;
  // L1 and SSIM are symmetric in their images: with the roles swapped the gradient is that of the target (teach.hpp).
  const ImageLossInput swapped{teach_, rendered, t.valid, t.num_valid};
  image_loss_forward(ctx, high_shape_, swapped, swapped_saved_);
  image_loss_backward(ctx, high_shape_, swapped, swapped_saved_, weight, GradientMode::overwrite, grad_teach_);
  teach_backward(ctx, input, centre, confidence.weights, grad_teach_.view(), teach_scratch_, confidence.gradient);
}

}  // namespace dsasrgs
