// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.hpp"

#include <cmath>

#include "adam/adam.hpp"

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

void update_parameters(Context& ctx, const StepSchedule& schedule, ModelGradient& gradient, TrainingState& state) {
  const LearningRateConfig& rates = state.config.learning_rate;
  for (const ParameterInfo& p : kParameters) {
    Buffer<float>& value = p.value(state.model.cloud, state.model.field);
    if (value.size() == 0) continue;
    AdamStep adam;
    adam.learning_rate = schedule.rate[p.id];
    adam.epsilon = schedule.epsilon[p.id];
    adam.weight_decay = p.decays ? static_cast<float>(rates.weight_decay) : 0;
    adam.step = state.step;
    adam.mode = p.sparse && rates.sparse_tables ? AdamMode::sparse : AdamMode::dense;
    AdamMoments& moments = state.optimizer[p.id];
    adam_update(ctx, adam, {value, gradient[p.id], moments.first, moments.second});
  }
}

void update_confidence(Context& ctx, const StepSchedule& schedule, View<float> gradient, TrainingState& state) {
  const SuperResolutionConfig& sr = state.config.super_resolution;
  ConfidenceState& c = state.optimizer.confidence;
  if (c.weights.size() == 0 || !sr.learn_confidence || state.step <= sr.first_step) return;
  AdamStep adam;
  adam.learning_rate = schedule.confidence;
  adam.step = state.step - sr.first_step;
  adam_update(ctx, adam, {c.weights, gradient, c.first, c.second});
}

void update_nuisance(const StepSchedule& schedule, std::size_t slot, const NuisanceGradient& gradient,
                     TrainingState& state) {
  const NuisanceConfig& fitted = state.config.nuisance;
  if (!fitted.view_gain && !fitted.view_offset) return;
  ViewNuisance& nuisance = state.model.nuisance;
  NuisanceMoments& m = state.nuisance_moments[slot];
  ++m.updates;
  if (fitted.view_gain)
    nuisance.gain[slot] +=
        static_cast<float>(adam_scalar(gradient.gain, m.gain_first, m.gain_second, m.updates, schedule.nuisance_gain));
  if (fitted.view_offset)
    nuisance.offset[slot] += static_cast<float>(
        adam_scalar(gradient.offset, m.offset_first, m.offset_second, m.updates, schedule.nuisance_offset));
}

}  // namespace

void update(Context& ctx, const StepSchedule& schedule, std::size_t slot, LossGradient& gradient,
            TrainingState& state) {
  update_parameters(ctx, schedule, gradient.model, state);
  update_confidence(ctx, schedule, gradient.confidence, state);
  update_nuisance(schedule, slot, gradient.nuisance, state);
}

}  // namespace dsasrgs
