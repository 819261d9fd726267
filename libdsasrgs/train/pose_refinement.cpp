// SPDX-License-Identifier: Apache-2.0
#include "train/pose_refinement.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/best_shift.hpp"
#include "dsasrgs/error.hpp"
#include "train/schedule.hpp"
#include "view_correction.hpp"

namespace dsasrgs {

namespace {

constexpr double kFirst = 0.9, kSecond = 0.95;  // Adam's: an update is a whole pass, so it forgets sooner than a step's
// A step d of Adam's, which is about 0.2 where gradients are noise and 1 where they agree, counts d³/(d² + kNoise):
// poses that are right already must not wander.
constexpr double kNoise = 1;
constexpr double kPrior = 0.1;  // share of the gradients that a remainder of geometry.remainder_px has

}  // namespace

PoseRefinement::PoseRefinement(const TrainingViews& views, const Config& config)
    : views_(&views), config_(&config), parameters_(views, static_cast<std::size_t>(config.geometry.knots)) {
  const int pass = static_cast<int>(views.size()), last = std::min(config.geometry.last_step, config.training.steps);
  if (const int first = (config.geometry.first_step + pass - 1) / pass * pass; first > last - pass)
    throw BadInput("configuration", "geometry.last_step",
                   "a whole pass over the " + std::to_string(pass) +
                       " training views after geometry.first_step = " + std::to_string(config.geometry.first_step) +
                       " and within the run's " + std::to_string(config.training.steps) + " steps",
                   std::to_string(config.geometry.last_step));
}

PoseRefinementState PoseRefinement::initial() const {
  const std::vector<double> zeros(parameters_.size(), 0.0);
  return {zeros, zeros, zeros, zeros, 0};
}

bool PoseRefinement::uses(int step) const {
  const int pass = static_cast<int>(views_->size()), start = (step - 1) / pass * pass;
  const GeometryConfig& g = config_->geometry;
  return step >= 1 && start >= g.first_step && start + pass <= g.last_step;
}

void PoseRefinement::add(const KnownLoss& known, std::size_t slot, const Detector& detector,
                         TrainingState& state) const {
  const PoseGradient by_pose = pose_gradient(state.poses[slot], detector, known.pose_sums);
  const ViewCorrection now = parameters_.view(slot, state.pose_refinement.values);
  parameters_.add_gradient(slot, corrected_pose_vjp(views_->pose(slot), views_->volume().center_mm(), now, by_pose),
                           state.pose_refinement.gradient);
}

void PoseRefinement::follow_gradients(TrainingState& state) const {
  const GeometryConfig& config = config_->geometry;
  PoseRefinementState& s = state.pose_refinement;
  ++s.updates;
  const auto updates = static_cast<double>(s.updates);
  const double rate = decayed(config.rate_px, static_cast<double>(state.step - config.first_step) /
                                                  static_cast<double>(config.last_step - config.first_step));
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    const double unit = parameters_.unit()[p], gradient = s.gradient[p] * unit;  // by pixels
    s.gradient[p] = 0;
    if (unit == 0) continue;
    s.first[p] = kFirst * s.first[p] + (1 - kFirst) * gradient;
    s.second[p] = kSecond * s.second[p] + (1 - kSecond) * gradient * gradient;
    if (!(s.second[p] > 0)) continue;
    const double mean = s.first[p] / (1 - std::pow(kFirst, updates));
    const double spread = std::sqrt(s.second[p] / (1 - std::pow(kSecond, updates)));
    double direction = mean / spread;
    direction *= direction * direction / (direction * direction + kNoise);
    if (parameters_.is_remainder(p)) direction += kPrior * s.values[p] / unit / config.remainder_px;
    s.values[p] -= rate * unit * direction;
  }
  parameters_.settle(s.values);
  apply(state);
}

bool PoseRefinement::update(Context& ctx, const RenderAsMeasured& render, TrainingState& state) const {
  follow_gradients(state);
  const bool looks = looks_for_shifts(state);
  if (looks) {
    Buffer<float> low(ctx, views_->detector().num_pixels());
    for (std::size_t slot = 0; slot < views_->size(); ++slot) {
      render(slot, low);
      shift(ctx, slot, low.to_host(ctx), state);
    }
    parameters_.settle(state.pose_refinement.values);
    apply(state);
  }
  require_bounded(state);
  if (!uses(state.step + 1)) discount_noise(state);
  return looks;
}

void PoseRefinement::discount_noise(TrainingState& state) const {
  std::vector<double>& values = state.pose_refinement.values;
  const PoseCorrector corrector(parameters_.correction(values));
  const auto square_px = [&](const Pose& a, const Pose& b) {
    const double px = rms_distance_px(a, b, views_->detector(), views_->volume());
    return px * px;
  };
  const auto kept = [&](double square) {
    const double noise = config_->geometry.noise_px * config_->geometry.noise_px;
    return square > noise ? 1 - noise / square : 0;
  };
  double smooth = 0;
  std::vector<double> remainder_kept;
  for (std::size_t slot = 0; slot < views_->size(); ++slot) {
    const Pose moved = corrector.corrected(views_->pose(slot));
    smooth += square_px(views_->pose(slot), moved) / static_cast<double>(views_->size());
    remainder_kept.push_back(kept(square_px(moved, corrector.corrected_training_view(slot))));
  }
  parameters_.scale(kept(smooth), remainder_kept, values);
  parameters_.settle(values);
  apply(state);
}

bool PoseRefinement::looks_for_shifts(const TrainingState& state) const {
  const GeometryConfig& g = config_->geometry;
  return state.pose_refinement.updates % kEveryShift == 0 &&
         state.step <= g.first_step + (g.last_step - g.first_step) / 2;
}

void PoseRefinement::shift(Context& ctx, std::size_t slot, std::span<const float> render, TrainingState& state) const {
  constexpr double kMuchBetter = 0.7;  // of the mean square difference
  if (!parameters_.has_contrast(slot)) return;
  const Detector& d = views_->detector();
  const int most = std::min({kMostShift_px, (d.width_px - 1) / 4, (d.height_px - 1) / 4});
  const BestShift best = best_shift(render, views_->measured(slot).to_host(ctx), views_->valid(slot).to_host(ctx),
                                    d.width_px, d.height_px, most);
  if (std::hypot(best.u_px, best.v_px) < 2 || best.error > kMuchBetter * best.unshifted_error) return;
  parameters_.shift(slot, best.u_px, best.v_px, state.pose_refinement.values);
}

void PoseRefinement::apply(TrainingState& state) const {
  state.poses.resize(views_->size());
  for (std::size_t slot = 0; slot < views_->size(); ++slot)
    state.poses[slot] = corrected_pose(views_->pose(slot), views_->volume().center_mm(),
                                       parameters_.view(slot, state.pose_refinement.values));
  state.model.pose_correction = parameters_.correction(state.pose_refinement.values);
}

void PoseRefinement::require_bounded(const TrainingState& state) const {
  for (std::size_t slot = 0; slot < views_->size(); ++slot) {
    const double px = rms_distance_px(views_->pose(slot), state.poses[slot], views_->detector(), views_->volume());
    if (px <= config_->geometry.largest_px) continue;
    throw NumericalError("training: the pose of view " + std::to_string(views_->index(slot)) + " of " + views_->name() +
                         " was moved by " + plain_number(px) + " px by step " + std::to_string(state.step) +
                         ", more than geometry.largest_px = " + plain_number(config_->geometry.largest_px) +
                         "; give poses that are nearer to the true ones, lower geometry.rate_px, or switch "
                         "geometry.refine off");
  }
}

}  // namespace dsasrgs
