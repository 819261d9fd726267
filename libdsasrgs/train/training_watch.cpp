// SPDX-License-Identifier: Apache-2.0
#include "train/training_watch.hpp"

#include <algorithm>

#include "dsasrgs/error.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

std::string rates_of(const Config& config) {
  const bool neural = config.field.kind == AttenuationKind::neural;
  std::string rates = neural ? "learning_rate.field" : "learning_rate.attenuation";
  rates += ", learning_rate.position or learning_rate.scale";
  if (config.nuisance.view_gain || config.nuisance.view_offset) rates += ", or nuisance.learning_rate";
  return rates;
}

}  // namespace

TrainingWatch::TrainingWatch(const TrainingViews& views, const Config& config)
    : views_(&views),
      rates_(rates_of(config)),
      softer_output_(config.field.kind == AttenuationKind::neural && config.field.output == FieldOutput::relu
                         ? ", or set field.output = softplus"
                         : ""),
      last_loss_(views.size()) {
  constexpr double kContrast = 0.25;
  for (std::size_t slot = 0; slot < views.size(); ++slot)
    least_mean_ = std::max(least_mean_, kContrast * views.mean(slot));
  std::size_t with_contrast = 0;
  for (std::size_t slot = 0; slot < views.size(); ++slot) with_contrast += has_contrast(slot) ? 1 : 0;
  // Where few views have contrast, so many of them come by in fewer than 50 steps.
  constexpr double kSteps = 36;
  const double share = static_cast<double>(with_contrast) / static_cast<double>(views.size());
  patience_ = std::clamp(static_cast<int>(kSteps * share), kLeastPatience, kPatience);
}

void TrainingWatch::see(const KnownLoss& loss) {
  const std::vector<int>& views = views_->indices();
  const auto slot = static_cast<std::size_t>(std::lower_bound(views.begin(), views.end(), loss.view) - views.begin());
  if (!has_contrast(slot)) return;  // a view that shows nothing may be rendered as 0 for good
  if (loss.values.measured) look_at_render(loss, slot);
  look_for_change(loss, slot);
}

void TrainingWatch::look_at_render(const KnownLoss& loss, std::size_t slot) {
  // A flash between blank renders is no recovery.
  const auto count = [](bool fault, int so_far) { return fault ? so_far + 1 : std::max(0, so_far - kForgiven); };
  blank_ = count(loss.values.rendered < kBlank * views_->mean(slot), blank_);
  astray_ = count(loss.values.l1 > kAstray * views_->mean_magnitude(slot), astray_);
  if (blank_ >= patience_) refuse_blank(loss, slot);
  if (astray_ >= patience_)
    throw NumericalError("training: the model moves away from the measurement: at step " + place(loss) + " the mean " +
                         "difference is " + rounded_text(loss.values.l1 / views_->mean_magnitude(slot)) +
                         " times that of a blank render; lower " + rates_);
}

void TrainingWatch::refuse_blank(const KnownLoss& loss, std::size_t slot) const {
  throw NumericalError("training: the model renders nothing: at step " + place(loss) + " its mean line integral is " +
                       rounded_text(loss.values.rendered * views_->units().line_integral) + " of " +
                       rounded_text(views_->mean(slot) * views_->units().line_integral) + " measured; lower " + rates_ +
                       softer_output_);
}

void TrainingWatch::look_for_change(const KnownLoss& loss, std::size_t slot) {
  unchanged_ = last_loss_[slot] == loss.values.total ? unchanged_ + 1 : 0;
  last_loss_[slot] = loss.values.total;
  if (unchanged_ < patience_) return;
  if (blank_ > 0) refuse_blank(loss, slot);  // which is why
  throw NumericalError("training: nothing is learnt: at step " + place(loss) + " the loss is " +
                       rounded_text(loss.values.total) + " as at the view's last turn, like those of the " +
                       std::to_string(patience_ - 1) + " steps before; raise the learning rates" + softer_output_);
}

std::string TrainingWatch::place(const KnownLoss& loss) const {
  return std::to_string(loss.step) + ", view " + std::to_string(loss.view) + " of " + views_->name() + ",";
}

}  // namespace dsasrgs
