// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "adam/adam.hpp"
#include "common/random.hpp"

namespace dsasrgs {

StepSchedule schedule_at(const Config& config, const TrainingUnits& units, int step) {
  const double f = static_cast<double>(step - 1) / std::max(1, config.training.steps - 1);
  const auto rate = [&](const Decay& d) { return static_cast<float>(decayed(d, f)); };
  const DensityControlConfig& density = config.density_control;
  StepSchedule s{};
  for (const ParameterInfo& p : kParameters) {
    const double length_mm = p.is_length ? units.length_mm : 1.0;
    s.rate[p.id] = static_cast<float>(decayed(config.learning_rate.*p.rate, f) * (p.is_length ? 2 * length_mm : 1.0));
    s.epsilon[p.id] = static_cast<float>(kAdamEpsilon / length_mm);  // Adam adds it to a gradient per mm
  }
  s.nuisance_gain = decayed(config.nuisance.learning_rate, f);
  s.nuisance_offset = s.nuisance_gain * units.line_integral;
  s.min_mean_density_per_mm = static_cast<float>(density.min_mean_density * units.attenuation_per_mm());
  s.confidence = rate(config.super_resolution.confidence_rate);
  // Whether an event is due after this step, and how far its window has passed.
  const auto is_due = [&](const auto& c) { return step > c.first_step && step < c.last_step && step % c.every == 0; };
  const auto passed = [&](const auto& c) {
    return (step - c.first_step) / static_cast<double>(std::max(1, c.last_step - c.first_step));
  };
  s.density_event = is_due(density);
  s.split_voxels = static_cast<float>(decayed(density.split_voxels, passed(density)));
  const ResidualSplitConfig& rsd = config.residual_split;
  s.residual_split_event = rsd.enabled && is_due(rsd);
  s.residual_split_threshold = static_cast<float>(rsd.gradient_threshold * decayed(rsd.threshold_factor, passed(rsd)));
  s.residual_births_event = config.residual_births.enabled && is_due(config.residual_births);
  return s;
}

int view_of_step(std::int64_t seed, int num_views, int step) {
  const auto n = static_cast<std::size_t>(num_views);
  const auto epoch = static_cast<std::uint64_t>((step - 1) / num_views);
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = n - 1; i > 0; --i) {  // Fisher–Yates
    const std::uint32_t word = random_words(static_cast<std::uint64_t>(seed), RandomStream::view_order, epoch, i)[0];
    std::swap(order[i], order[static_cast<std::size_t>((static_cast<std::uint64_t>(word) * (i + 1)) >> 32)]);
  }
  return order[static_cast<std::size_t>((step - 1) % num_views)];
}

}  // namespace dsasrgs
