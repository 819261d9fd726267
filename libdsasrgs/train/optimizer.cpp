// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.hpp"

#include <cmath>
#include <vector>

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

/// Adds every parameter array; of a table each level, whose gradient may have a unit of its own.
void add_parameters(const StepSchedule& schedule, ModelGradient& gradient, TrainingState& state,
                    std::vector<AdamArray>& arrays) {
  const LearningRateConfig& rates = state.config.learning_rate;
  std::size_t level = 0;  // of all tables
  for (const ParameterInfo& p : kParameters) {
    const View<float> value = p.value(state.model.cloud, state.model.field);
    if (value.empty()) continue;
    AdamStep adam;
    adam.learning_rate = schedule.rate[p.id];
    adam.epsilon = schedule.epsilon[p.id];
    adam.weight_decay = p.decays ? static_cast<float>(rates.weight_decay) : 0;
    adam.step = state.step;
    adam.mode = p.is_table && rates.sparse_tables ? AdamMode::sparse : AdamMode::dense;
    const View<float> first = state.optimizer[p.id].first, second = state.optimizer[p.id].second;
    if (!p.is_table) {
      arrays.push_back({adam, {value, gradient[p.id], first, second}});
      continue;
    }
    for (std::size_t begin = 0; begin < value.size(); ++level) {
      const WaitingGradient of_level = gradient.tables.level(level);
      const std::size_t size = of_level.size();
      arrays.push_back(
          {adam, {value.subview(begin, size), of_level, first.subview(begin, size), second.subview(begin, size)}});
      begin += size;
    }
  }
}

void add_confidence(const StepSchedule& schedule, View<float> gradient, TrainingState& state,
                    std::vector<AdamArray>& arrays) {
  const SuperResolutionConfig& sr = state.config.super_resolution;
  ConfidenceState& c = state.optimizer.confidence;
  if (c.weights.size() == 0 || !sr.learn_confidence || state.step <= sr.first_step) return;
  AdamStep adam;
  adam.learning_rate = schedule.confidence;
  adam.step = state.step - sr.first_step;
  arrays.push_back({adam, {c.weights, gradient, c.first, c.second}});
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

std::vector<AdamArray> updates_of(const StepSchedule& schedule, LossGradient& gradient, TrainingState& state) {
  std::vector<AdamArray> arrays;
  add_parameters(schedule, gradient.model, state, arrays);
  add_confidence(schedule, gradient.confidence, state, arrays);
  return arrays;
}

void update(Context& ctx, const std::vector<AdamArray>& arrays, const StepSchedule& schedule, std::size_t slot,
            const LossGradient& gradient, TrainingState& state) {
  adam_update(ctx, arrays);
  update_nuisance(schedule, slot, gradient.nuisance, state);
}

}  // namespace dsasrgs
