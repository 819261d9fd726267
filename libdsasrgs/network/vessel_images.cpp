// SPDX-License-Identifier: Apache-2.0
#include "network/vessel_images.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "brightness.hpp"
#include "dsasrgs/resample.hpp"
#include "network/refuse_source.hpp"

namespace dsasrgs {

namespace {

constexpr CArmView kView{};             // its distances are those of a usual sweep
constexpr double kMostSecondary = 0.5;  // rad
/// From when the inlets have a tenth of their peak to how long after it.
constexpr double kAfterArrival_s = 1, kAfterPeak_s = 3;
constexpr double kInjectionLow_s = 2, kInjectionHigh_s = 5;
constexpr int kLeastSide_px = 96;

/// Two rays a side of a fine pixel, one where these are an eighth of a measured one.
int samples_per_pixel(int scale) { return scale <= 4 ? 2 : 1; }

/// Moment `fraction` of the way through the part of a bolus that is worth seeing.
double moment_s(const ContrastCurves& curves, const ContrastOptions& contrast, double fraction) {
  const double first = contrast.arrival_s + kAfterArrival_s, last = curves.peak_time_s(0) + kAfterPeak_s;
  return first + (last - first) * fraction;
}

double largest_distance_mm(const VesselTree& tree) {
  double largest = 0;
  for (const VesselNode& node : tree.nodes) largest = std::max(largest, length(node.position_mm) + node.radius_mm);
  return largest;
}

/// The brightest line integral of whole images all around the vessels, at times spread over a bolus.
double brightest_of(Context& ctx, const VesselTree& tree) {
  constexpr int kImages = 8, kSide_px = 112, kSamples = 2;
  const ContrastOptions contrast;
  const ContrastCurves curves(tree, contrast);
  const double reach = largest_distance_mm(tree),
               side_mm = 2 * reach / std::sqrt(1 - reach * reach / (kView.sod_mm * kView.sod_mm)) * kView.sdd_mm /
                         kView.sod_mm;
  const Detector detector{kSide_px, kSide_px, side_mm / kSide_px, side_mm / kSide_px};
  Brightness brightness;
  for (int i = 0; i < kImages; ++i) {
    CArmView view = kView;
    // Five eighths of a turn from one to the next, so that neither time nor elevation goes with the direction.
    view.primary_rad = std::fmod(i * 1.25 * std::numbers::pi, 2 * std::numbers::pi);
    view.secondary_rad = kMostSecondary * (i % 3 - 1);
    const double time_s = moment_s(curves, contrast, (i + 0.5) / kImages);
    brightness.add(
        bin_image(vessel_line_integrals(ctx, tree, curves, carm_pose(view, time_s), detector, kSamples, time_s),
                  detector, kSamples));
  }
  return brightness.brightest();
}

}  // namespace

VesselImages::VesselImages(Context& ctx, const NetworkTrainingConfig& config, const NetworkVessels& source)
    : source_(&source),
      scale_(config.shape.scale),
      side_px_(std::max(kLeastSide_px, config.patch_px)),
      pitch_low_mm_(config.pitch_low_mm),
      pitch_high_mm_(config.pitch_high_mm) {
  const double reach = largest_distance_mm(source.tree);
  if (const double most = 0.9 * kView.sod_mm; !(reach <= most))
    refuse_source(source.name, "expected vessels within " + std::to_string(static_cast<int>(most)) +
                                   " mm of the isocentre, found one at " + std::to_string(reach) + " mm");
  try {
    unit_ = brightest_of(ctx, source.tree);
  } catch (const InvalidArgument& e) {
    refuse_source(source.name, e.what());
  }
  if (unit_ <= 0) refuse_source(source.name, "expected vessels that a projection shows, found none");
}

Image VesselImages::draw(Context& ctx, PatchNumbers& numbers) const {
  const VesselTree& tree = source_->tree;
  ContrastOptions contrast;
  contrast.injection_s = numbers.uniform(kInjectionLow_s, kInjectionHigh_s);
  const ContrastCurves curves(tree, contrast);
  const double time_s = moment_s(curves, contrast, numbers.uniform());
  CArmView view = kView;
  view.primary_rad = numbers.uniform(0, 2 * std::numbers::pi);
  view.secondary_rad = numbers.uniform(-kMostSecondary, kMostSecondary);
  const double pitch = numbers.log_uniform(pitch_low_mm_, pitch_high_mm_);
  const Detector measured{side_px_, side_px_, pitch, pitch};
  const Vec3d aim = tree.nodes[numbers.index(tree.nodes.size())].position_mm;
  const Vec2d at = project_point(carm_pose(view, time_s), measured, aim);
  view.offset_u_mm = (at.x - side_px_ * 0.5) * pitch;
  view.offset_v_mm = (at.y - side_px_ * 0.5) * pitch;

  const int samples = samples_per_pixel(scale_), side = side_px_ * scale_;
  const Detector fine = measured.refined(scale_);
  std::vector<float> values = bin_image(
      vessel_line_integrals(ctx, tree, curves, carm_pose(view, time_s), fine, samples, time_s), fine, samples);
  for (float& v : values) v = static_cast<float>(v / unit_);
  return {side, side, std::move(values)};
}

const Image& VesselWindow::at(Context& ctx, std::int64_t step, std::size_t which) {
  const std::int64_t last = step / 2, first = last - kImages + 1, k = first + static_cast<std::int64_t>(which);
  images_.erase(images_.begin(), images_.lower_bound(first));
  images_.erase(images_.upper_bound(last), images_.end());
  if (const auto found = images_.find(k); found != images_.end()) return found->second;
  PatchNumbers numbers(seed_, RandomStream::network_vessels, k, 0);
  const VesselImages& source = sources_[numbers.index(shares_)];
  return images_.emplace(k, source.draw(ctx, numbers)).first->second;
}

}  // namespace dsasrgs
