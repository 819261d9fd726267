// SPDX-License-Identifier: Apache-2.0
#include "fdk/fdk.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "common/host_vector.hpp"
#include "fdk/fdk_bodies.hpp"

namespace dsasrgs {
namespace {

constexpr const char* kOp = "fdk_reconstruct";

void require_input(const FdkInput& input, std::size_t volume_size) {
  const std::size_t pixels = require_detector(kOp, input.detector), voxels = require_grid(kOp, input.grid);
  require_size(kOp, "projections", size_product(input.poses.size(), pixels), input.projections.size());
  require_size(kOp, "volume", voxels, volume_size);
}

/// Fan angles that detectors reach.
struct FanAngles {
  double least_rad = 0, most_rad = 0;  ///< of any view
  /// Of every view: at γ < 0 down to −every_negative_rad, at γ > 0 up to every_positive_rad; below 0 where a detector
  /// does not reach γ = 0.
  double every_negative_rad = std::numbers::pi, every_positive_rad = std::numbers::pi;
  double largest_rad() const { return std::max(-least_rad, most_rad); }
};

/// Throws InvalidArgument when a detector is not in front of its source.
FanAngles fan_angles(std::span<const Pose> poses, const Detector& detector, const SourceArc& arc) {
  FanAngles fan;
  for (std::size_t i = 0; i < poses.size(); ++i)
    for (const double py : {0.0, static_cast<double>(detector.height_px)}) {
      double low = std::numbers::pi, high = -std::numbers::pi;
      for (const double px : {0.0, static_cast<double>(detector.width_px)}) {
        const Vec3d ray = detector_point(poses[i], detector, {px, py}) - poses[i].source_mm;
        const double depth = dot(ray, arc.views[i].toward_axis);
        require(depth > 0, kOp, "poses: view ", i,
                ": expected a detector beyond the source towards the rotation axis, found one that is not");
        const double angle = std::atan2(dot(ray, arc.views[i].tangent), depth);
        low = std::min(low, angle);
        high = std::max(high, angle);
      }
      fan.least_rad = std::min(fan.least_rad, low);
      fan.most_rad = std::max(fan.most_rad, high);
      fan.every_negative_rad = std::min(fan.every_negative_rad, -low);
      fan.every_positive_rad = std::min(fan.every_positive_rad, high);
    }
  return fan;
}

/// A detector that is shifted so little that its rows count as seeing both sides alike: wobble, and a few columns.
constexpr double kSmallShift = 0.05;  // of the longer side

/// Nothing where the axis is off the detector: then no weights help.
HalfFan half_fan(const FanAngles& fan) {
  const double shorter = std::min(fan.every_negative_rad, fan.every_positive_rad);
  const double longer = std::max(fan.every_negative_rad, fan.every_positive_rad);
  if (shorter <= 0 || longer - shorter <= kSmallShift * longer) return {};
  return {fan.every_positive_rad > fan.every_negative_rad ? 1.0 : -1.0, shorter};
}

void reconstruct_job(Context& ctx, const FdkJob& job, View<float> volume) {
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::fdk_reconstruct(ctx, job, volume);
  cpu::fdk_reconstruct(ctx, job, volume);
}

/// A half-fan reconstruction, with columns of zero weight added on the shorter side: filtered rows go on beyond it,
/// where the voxels of the other half project to.
void reconstruct_half_fan(Context& ctx, const FdkInput& input, const SourceArc& arc, const FanAngles& fan, HalfFan half,
                          View<float> volume) {
  const double negative = std::tan(fan.every_negative_rad), positive = std::tan(fan.every_positive_rad);
  const auto width = static_cast<std::size_t>(input.detector.width_px);
  const auto added = static_cast<std::size_t>(
      std::ceil(static_cast<double>(width) * std::abs(positive - negative) / (positive + negative)));
  HostVector<Pose> poses(input.poses.begin(), input.poses.end());
  HostVector<float> rows(input.projections.size()), wide(input.projections.size() / width * (width + added));
  copy_bytes_to_host(ctx, rows.data(), input.projections.data(), rows.size() * sizeof(float));
  const std::size_t rows_per_view = rows.size() / width / poses.size();
  for (std::size_t v = 0; v < poses.size(); ++v) {
    // Whether the shorter side is that of column 0.
    const bool at_start = dot(poses[v].detector_u, arc.views[v].tangent) * half.side > 0;
    poses[v].detector_center_mm +=
        poses[v].detector_u * (0.5 * static_cast<double>(added) * input.detector.pitch_u_mm * (at_start ? -1 : 1));
    for (std::size_t r = v * rows_per_view; r < (v + 1) * rows_per_view; ++r)
      std::copy_n(rows.data() + r * width, width, wide.data() + r * (width + added) + (at_start ? added : 0));
  }
  Detector detector = input.detector;
  detector.width_px += static_cast<int>(added);
  const auto projections = Buffer<float>::from_host(ctx, wide);
  const FdkInput padded{projections, poses, detector, input.grid};
  reconstruct_job(ctx, {padded, arc, 0.0, half}, volume);
}

void reconstruct(Context& ctx, const FdkInput& input, View<float> volume) {
  const SourceArc arc = fit_source_arc(input.poses);
  const FanAngles fan = fan_angles(input.poses, input.detector, arc);
  if (const HalfFan half = half_fan(fan); arc.full_turn && half.side != 0)
    return reconstruct_half_fan(ctx, input, arc, fan, half, volume);
  const double delta_rad = (arc.span_rad - std::numbers::pi) / 2;
  const bool parker = !arc.full_turn && delta_rad >= fan.largest_rad();
  reconstruct_job(ctx, {input, arc, parker ? delta_rad : 0.0, {}}, volume);
}

}  // namespace

void require_fdk_poses(std::span<const Pose> poses, const Detector& detector) {
  require_detector(kOp, detector);
  fan_angles(poses, detector, fit_source_arc(poses));
}

void fdk_reconstruct(Context& ctx, const FdkInput& input, View<float> volume) {
  require_input(input, volume.size());
  // What Eigen asks for: the sources' circle by least squares, and the transform of a row.
  const std::size_t eigen_bytes =
      8 * input.poses.size() * sizeof(double) +
      filter_length(static_cast<std::size_t>(input.detector.width_px)) * sizeof(std::complex<double>);
  with_host_memory(eigen_bytes, [&] { reconstruct(ctx, input, volume); });
}

}  // namespace dsasrgs
