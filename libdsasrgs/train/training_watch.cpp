#include "train/training_watch.hpp"

#include <algorithm>

#include "dsasrgs/error.hpp"
#include "number_text.hpp"

namespace dsasrgs {

TrainingWatch::TrainingWatch(const TrainingViews& views, const Config& config)
    : views_(&views),
      rates_(std::string(config.field.kind == AttenuationKind::neural ? "learning_rate.field"
                                                                      : "learning_rate.attenuation") +
             ", learning_rate.position or learning_rate.scale"),
      softer_output_(config.field.kind == AttenuationKind::neural && config.field.output == FieldOutput::relu
                         ? ", or set field.output = softplus"
                         : ""),
      last_loss_(views.size()) {
  constexpr double kContrast = 0.25;
  for (std::size_t slot = 0; slot < views.size(); ++slot)
    least_mean_ = std::max(least_mean_, kContrast * views.mean(slot));
}

void TrainingWatch::see(const KnownLoss& loss) {
  const std::vector<int>& views = views_->indices();
  const auto slot = static_cast<std::size_t>(std::lower_bound(views.begin(), views.end(), loss.view) - views.begin());
  if (loss.values.measured && has_contrast(slot)) look_at_render(loss, slot);
  look_for_change(loss, slot);
}

void TrainingWatch::look_at_render(const KnownLoss& loss, std::size_t slot) {
  blank_ = loss.values.rendered < kBlank * views_->mean(slot) ? blank_ + 1 : 0;
  astray_ = loss.values.l1 > kAstray * views_->mean_magnitude(slot) ? astray_ + 1 : 0;
  if (blank_ >= kPatience) refuse_blank(loss, slot);
  if (astray_ >= kPatience)
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
  if (unchanged_ < kPatience) return;
  if (blank_ > 0) refuse_blank(loss, slot);  // which is why
  throw NumericalError("training: nothing is learnt: at step " + place(loss) + " the loss is " +
                       rounded_text(loss.values.total) + " as at the view's last turn, like those of the " +
                       std::to_string(kPatience - 1) + " steps before; raise the learning rates" + softer_output_);
}

std::string TrainingWatch::place(const KnownLoss& loss) const {
  return std::to_string(loss.step) + ", view " + std::to_string(loss.view) + " of " + views_->name() + ",";
}

}  // namespace dsasrgs
