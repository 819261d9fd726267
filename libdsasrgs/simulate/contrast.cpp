// SPDX-License-Identifier: Apache-2.0
// Attenuation curves of the blood along a vessel tree.
#include <algorithm>
#include <cmath>
#include <string>

#include "common/require.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/simulator.hpp"
#include "simulate/gamma_variate.hpp"
#include "simulate/vessel_tree.hpp"

namespace dsasrgs {

namespace {

void check(const ContrastOptions& o) {
  const auto check_one = [](bool ok, const char* field, const char* expected, double found) {
    require_field(ok && std::isfinite(found), field, expected, found);
  };
  check_one(true, "arrival_s", "a finite time", o.arrival_s);
  check_one(o.shape > 0 && o.shape <= 100, "shape", "more than 0 and at most 100", o.shape);
  check_one(o.width_s > 0, "width_s", "a positive time", o.width_s);
  check_one(o.width_growth >= 0, "width_growth", "0 or more", o.width_growth);
  check_one(o.injection_s >= 0, "injection_s", "0 or more", o.injection_s);
  check_one(o.velocity_mm_per_s > 0, "velocity_mm_per_s", "a positive velocity", o.velocity_mm_per_s);
  check_one(o.velocity_exponent >= 0, "velocity_exponent", "0 or more", o.velocity_exponent);
  check_one(o.peak_attenuation_per_mm >= 0, "peak_attenuation_per_mm", "0 or more", o.peak_attenuation_per_mm);
}

/// Delay of every node: the sum over segments of length / velocity, the velocity at the segment's mean radius.
std::vector<double> tree_delays(const VesselTree& tree, const ContrastOptions& options) {
  check_vessel_tree(tree);
  std::vector<double> delay_s(tree.nodes.size()), inlet_radius_mm(tree.nodes.size());
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const VesselNode& node = tree.nodes[i];
    if (node.parent < 0) {
      inlet_radius_mm[i] = node.radius_mm;
      continue;
    }
    const VesselNode& up = tree.nodes[node.parent];
    inlet_radius_mm[i] = inlet_radius_mm[node.parent];
    const double relative_radius = (node.radius_mm + up.radius_mm) / 2 / inlet_radius_mm[i];
    const double velocity =
        options.velocity_mm_per_s * std::max(0.1, std::pow(relative_radius, options.velocity_exponent));
    delay_s[i] = delay_s[node.parent] + length(node.position_mm - up.position_mm) / velocity;
    require_field(std::isfinite(delay_s[i]), "velocity_mm_per_s", "one that brings contrast to every node",
                  options.velocity_mm_per_s);
  }
  return delay_s;
}

}  // namespace

ContrastCurves::ContrastCurves(const VesselTree& tree, const ContrastOptions& options)
    : ContrastCurves((check(options), tree_delays(tree, options)), options) {}

ContrastCurves::ContrastCurves(std::vector<double> delay_s, const ContrastOptions& options) try
    : options_(options), delay_s_(std::move(delay_s)) {
  check(options);
  for (std::size_t i = 0; i < delay_s_.size(); ++i)
    if (!(std::isfinite(delay_s_[i]) && delay_s_[i] >= 0))
      require_field(false, "delay_s[" + std::to_string(i) + "]", "0 or more", delay_s_[i]);
  const double peak_s = bolus_peak_s(options.shape, options.width_s, options.injection_s);
  area_ = options.peak_attenuation_per_mm / bolus_density(peak_s, options.shape, options.width_s, options.injection_s);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

double ContrastCurves::delay_s(std::size_t node) const {
  if (node >= delay_s_.size())  // asked once per node and moment: no text is made where it is there
    throw InvalidArgument("ContrastCurves: node: expected one of " + std::to_string(delay_s_.size()) + ", found " +
                          std::to_string(node));
  return delay_s_[node];
}

double ContrastCurves::attenuation(std::size_t node, double time_s) const {
  if (std::isnan(time_s)) throw InvalidArgument("ContrastCurves::attenuation: time_s: expected a time, found NaN");
  const double delay = delay_s(node);
  return area_ * bolus_density(time_s - options_.arrival_s - delay, options_.shape,
                               options_.width_s + options_.width_growth * delay, options_.injection_s);
}

std::vector<double> ContrastCurves::attenuation(double time_s) const try {
  std::vector<double> values(delay_s_.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = attenuation(i, time_s);
  return values;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

double ContrastCurves::peak_time_s(std::size_t node) const {
  const double delay = delay_s(node);
  return options_.arrival_s + delay +
         bolus_peak_s(options_.shape, options_.width_s + options_.width_growth * delay, options_.injection_s);
}

}  // namespace dsasrgs
