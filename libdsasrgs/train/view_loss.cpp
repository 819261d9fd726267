// SPDX-License-Identifier: Apache-2.0
#include "train/view_loss.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "dsasrgs/error.hpp"
#include "elementwise/elementwise.hpp"
#include "fill_invalid.hpp"
#include "label_trust.hpp"
#include "refined_mask.hpp"

namespace dsasrgs {

namespace {

ImageLossShape loss_shape(const Detector& detector, const TrainingUnits& units, const Config& config) {
  return {detector.width_px, detector.height_px, static_cast<float>(config.training.ssim_weight),
          static_cast<float>(units.line_integral), static_cast<float>(config.training.ssim_range)};
}

}  // namespace

ViewLoss::ViewLoss(Context& ctx, const TrainingViews& views, const Config& config, LabelReader labels)
    : views_(&views), config_(&config), labels_(std::move(labels)), high_detector_(views.detector()) {
  const SuperResolutionConfig& sr = config.super_resolution;
  const Detector& low_detector = views.detector();
  if (sr.scale > 1) high_detector_ = low_detector.refined(sr.scale);
  resample_ = {low_detector.width_px, low_detector.height_px, sr.scale};
  low_shape_ = loss_shape(low_detector, views.units(), config);
  high_shape_ = loss_shape(high_detector_, views.units(), config);
  const std::size_t low_pixels = low_detector.num_pixels(), high_pixels = high_detector_.num_pixels();
  grad_low_ = Buffer<float>(ctx, low_pixels);
  low_ = Buffer<float>(ctx, sr.scale > 1 ? low_pixels : 0);
  adjusted_ = Buffer<float>(ctx, uses_nuisance() ? low_pixels : 0);
  fine_adjusted_ = Buffer<float>(ctx, uses_nuisance() && sr.scale > 1 ? high_pixels : 0);
  const bool teach = sr.scale > 1 && sr.target == HighResolutionTarget::teach;
  const bool weighted = sr.scale > 1 && sr.target == HighResolutionTarget::weighted;
  teach_ = Buffer<float>(ctx, teach || weighted ? high_pixels : 0);
  grad_teach_ = Buffer<float>(ctx, teach || weighted ? high_pixels : 0);
  if (has_fine_targets()) make_fine_targets(ctx);
}

void ViewLoss::make_fine_targets(Context& ctx) {
  fine_.clear();
  for (std::size_t slot = 0; slot < views_->size(); ++slot) {  // all, so that a label that is missing is found now
    if (!config_->super_resolution.keep_labels) fine_.clear();
    fine_.push_back(make_fine_target(ctx, slot));
  }
}

void ViewLoss::use_labels(Context& ctx, LabelReader labels) {
  labels_ = std::move(labels);
  if (has_fine_targets()) make_fine_targets(ctx);  // also where the last labels were refused half-way
}

ViewLoss::FineTarget ViewLoss::make_fine_target(Context& ctx, std::size_t slot) const {
  const SuperResolutionConfig& sr = config_->super_resolution;
  const std::size_t high_pixels = high_detector_.num_pixels();
  const int view = views_->index(slot);
  const Buffer<float>& measured = views_->measured(slot);
  FineTarget t;
  const std::vector<std::uint8_t> low_valid = views_->valid(slot).to_host(ctx),
                                  valid = refined_mask(low_valid, views_->detector(), sr.scale);
  t.valid = Buffer<std::uint8_t>::from_host(ctx, valid);
  t.num_valid = count_valid(ctx, t.valid);
  t.upsampled = Buffer<float>(ctx, high_pixels);
  if (low_valid.empty()) {
    upsample_bicubic(ctx, resample_, measured, t.upsampled);
  } else {
    std::vector<float> filled = measured.to_host(ctx);
    fill_invalid(low_valid, views_->detector().width_px, filled);
    upsample_bicubic(ctx, resample_, Buffer<float>::from_host(ctx, filled), t.upsampled);
  }
  if (!sr.needs_labels()) return t;

  std::vector<float> label = labels_.image ? labels_.image(view) : std::vector<float>{};
  if (label.size() != high_pixels)
    throw BadInput(views_->name(), "/super_resolution/pseudo_labels",
                   "a label of " + std::to_string(high_detector_.width_px) + " x " +
                       std::to_string(high_detector_.height_px) + " pixels for training view " + std::to_string(view),
                   label.empty() ? "none" : std::to_string(label.size()) + " pixels");
  if (config_->training.clip_negative)
    for (float& v : label) v = std::max(v, 0.0f);
  if (!valid.empty()) {  // equal images there: similarity and texture of valid pixels see nothing else
    const std::vector<float> upsampled = t.upsampled.to_host(ctx);
    for (std::size_t i = 0; i < label.size(); ++i)
      if (valid[i] == 0) label[i] = upsampled[i];
  }
  t.label = Buffer<float>::from_host(ctx, label);
  if (sr.target != HighResolutionTarget::teach && sr.target != HighResolutionTarget::weighted) return t;

  const std::vector<float> given =
      sr.given_confidence && labels_.confidence ? labels_.confidence(view) : std::vector<float>{};
  if (sr.target == HighResolutionTarget::weighted) {
    t.confidence = Buffer<float>::from_host(ctx, trust(ctx, slot, label, low_valid, given));
    return t;
  }
  t.confidence = Buffer<float>::from_host(ctx, given);
  if (given.empty()) {
    t.similarity = Buffer<float>(ctx, high_pixels);
    t.richness = Buffer<float>(ctx, high_pixels);
    ssim_map(ctx, high_shape_, t.label, t.upsampled, t.similarity);
    texture_richness(ctx, {high_detector_.width_px, high_detector_.height_px}, t.label, t.richness);
  }
  return t;
}

std::vector<float> ViewLoss::trust(Context& ctx, std::size_t slot, const std::vector<float>& label,
                                   const std::vector<std::uint8_t>& valid, std::vector<float> given) const {
  const SuperResolutionConfig& sr = config_->super_resolution;
  if (given.empty()) given.assign(label.size(), 1.0f);
  if (!sr.consistency) return given;
  const std::vector<float> consistency = label_consistency(label, views_->measured(slot).to_host(ctx), valid,
                                                           views_->detector(), sr.scale, views_->units().line_integral);
  for (std::size_t i = 0; i < given.size(); ++i) given[i] *= consistency[i];
  return given;
}

const ViewLoss::FineTarget& ViewLoss::fine_target(Context& ctx, std::size_t slot) {
  if (config_->super_resolution.keep_labels) return fine_[slot];
  fine_.clear();
  fine_.push_back(make_fine_target(ctx, slot));
  return fine_.back();
}

NuisanceGradient ViewLoss::run(Context& ctx, std::size_t slot, View<const float> rendered, View<const float> confidence,
                               const ViewNuisance& nuisance, const Gradient& gradient) {
  const bool as_measured = rendered.size() == views_->detector().num_pixels();
  const auto weight = static_cast<float>(fine_weight());
  image_weight_ = as_measured ? 1 : 1 - weight;
  num_fine_losses_ = 0;
  if (as_measured) return low_loss(ctx, slot, rendered, nuisance, 1, gradient.rendered);

  const auto add_low_loss = [&](GradientMode mode) {
    pool_average(ctx, resample_, rendered, low_);
    const NuisanceGradient found = low_loss(ctx, slot, low_, nuisance, image_weight_, grad_low_);
    pool_average_adjoint(ctx, resample_, grad_low_.view(), mode, gradient.rendered);
    return found;
  };
  if (uses_nuisance() && has_fine_targets()) {  // the targets are made of what was measured
    affine_values(ctx, nuisance.gain[slot], nuisance.offset[slot], rendered, fine_adjusted_);
    zero_bytes(ctx, gradient.rendered.data(), gradient.rendered.size() * sizeof(float));
    fine_loss(ctx, slot, fine_adjusted_, confidence, gradient);
    scale_values(ctx, nuisance.gain[slot], gradient.rendered, gradient.rendered);
    return add_low_loss(GradientMode::accumulate);
  }
  NuisanceGradient found;
  if (image_weight_ > 0)
    found = add_low_loss(GradientMode::overwrite);
  else
    zero_bytes(ctx, gradient.rendered.data(), gradient.rendered.size() * sizeof(float));
  if (has_fine_targets()) fine_loss(ctx, slot, rendered, confidence, gradient);
  return found;
}

void ViewLoss::fine_loss(Context& ctx, std::size_t slot, View<const float> rendered, View<const float> confidence,
                         const Gradient& gradient) {
  const auto weight = static_cast<float>(fine_weight());
  const FineTarget& t = fine_target(ctx, slot);
  switch (config_->super_resolution.target) {
    case HighResolutionTarget::none:
      break;
    case HighResolutionTarget::upsampled:
      high_loss(ctx, t, rendered, t.upsampled, weight, gradient.rendered);
      break;
    case HighResolutionTarget::pseudo_labels:
      high_loss(ctx, t, rendered, t.label, weight, gradient.rendered);
      break;
    case HighResolutionTarget::both:
      high_loss(ctx, t, rendered, t.upsampled, weight / 2, gradient.rendered);
      high_loss(ctx, t, rendered, t.label, weight / 2, gradient.rendered);
      break;
    case HighResolutionTarget::teach:
      teach_loss(ctx, t, rendered, confidence, gradient);
      break;
    case HighResolutionTarget::weighted:
      weighted_loss(ctx, t, rendered, gradient);
      break;
  }
}

void ViewLoss::as_measured(Context& ctx, std::size_t slot, View<const float> rendered, const ViewNuisance& nuisance,
                           View<float> low) const {
  ResampleShape shape = resample_;
  if (rendered.size() == views_->detector().num_pixels()) shape.scale = 1;
  pool_average(ctx, shape, rendered, low);
  if (uses_nuisance()) affine_values(ctx, nuisance.gain[slot], nuisance.offset[slot], low, low);
}

NuisanceGradient ViewLoss::low_loss(Context& ctx, std::size_t slot, View<const float> low, const ViewNuisance& nuisance,
                                    float weight, View<float> grad_low) {
  ImageLossInput input{low, views_->measured(slot), views_->valid(slot), views_->num_valid(slot)};
  if (uses_nuisance()) {
    gain_ = nuisance.gain[slot];
    offset_ = nuisance.offset[slot];
    affine_values(ctx, gain_, offset_, low, adjusted_);
    input.rendered = adjusted_;
  }
  image_loss_forward(ctx, low_shape_, input, low_saved_);
  image_loss_backward(ctx, low_shape_, input, low_saved_, weight, GradientMode::overwrite, grad_low);
  if (!uses_nuisance()) return {};
  const Sums sums = sum_and_product(ctx, grad_low, low);
  scale_values(ctx, gain_, grad_low, grad_low);
  return {sums.product, sums.sum};
}

void ViewLoss::high_loss(Context& ctx, const FineTarget& t, View<const float> rendered, View<const float> target,
                         float weight, View<float> grad_rendered, GradientMode mode) {
  const ImageLossInput input{rendered, target, t.valid, t.num_valid};
  ImageLossSaved& saved = fine_saved_[num_fine_losses_++];
  image_loss_forward(ctx, high_shape_, input, saved);
  image_loss_backward(ctx, high_shape_, input, saved, weight, mode, grad_rendered);
}

void ViewLoss::weighted_loss(Context& ctx, const FineTarget& t, View<const float> rendered, const Gradient& gradient) {
  // The difference to C·label + (1 − C)·render is C times that to the label. Its sign is not, hence C again: where the
  // label is not trusted nothing is asked for.
  teach_forward(ctx, {t.label, rendered, {}, {}, t.confidence}, {}, {}, teach_);
  high_loss(ctx, t, rendered, teach_, static_cast<float>(config_->super_resolution.weight), grad_teach_,
            GradientMode::overwrite);
  add_product(ctx, t.confidence, grad_teach_, gradient.rendered);
}

void ViewLoss::teach_loss(Context& ctx, const FineTarget& t, View<const float> rendered, View<const float> confidence,
                          const Gradient& gradient) {
  const SuperResolutionConfig& sr = config_->super_resolution;
  const auto weight = static_cast<float>(sr.weight);
  const TeachInput input{t.label, t.upsampled, t.similarity, t.richness, t.confidence};
  const ConfidenceCentre centre{static_cast<float>(sr.similarity_centre), static_cast<float>(sr.texture_centre)};
  teach_forward(ctx, input, centre, confidence, teach_);
  high_loss(ctx, t, rendered, teach_, weight, gradient.rendered);
  if (!sr.learn_confidence || t.confidence.size() > 0) return;
  // L1 and SSIM are symmetric in their images: with the roles swapped the gradient is that of the target (teach.hpp).
  const ImageLossInput swapped{teach_, rendered, t.valid, t.num_valid};
  image_loss_forward(ctx, high_shape_, swapped, swapped_saved_);
  image_loss_backward(ctx, high_shape_, swapped, swapped_saved_, weight, GradientMode::overwrite, grad_teach_);
  teach_backward(ctx, input, centre, confidence, grad_teach_.view(), teach_scratch_, gradient.confidence);
}

}  // namespace dsasrgs
