// SPDX-License-Identifier: Apache-2.0
#include "fdk/fdk_setup.hpp"

#include <algorithm>
#include <complex>
#include <numbers>
#include <unsupported/Eigen/FFT>

#include "common/host_vector.hpp"

namespace dsasrgs {
namespace {

/// direction · (centre of voxel (x,y,z) − source).
IndexPlane plane_of(const VolumeGrid& grid, Vec3d source_mm, Vec3d direction) {
  const Vec3d first = grid.origin_mm + grid.spacing_mm * 0.5 - source_mm;
  return {dot(direction, first), direction.x * grid.spacing_mm.x, direction.y * grid.spacing_mm.y,
          direction.z * grid.spacing_mm.z};
}

}  // namespace

FilterView filter_view(const FdkJob& job, std::size_t view) {
  const Pose& pose = job.input.poses[view];
  const Detector& detector = job.input.detector;
  const ArcView& arc_view = job.arc.views[view];
  // The volume is the integral over half a turn of parallel rays: without Parker weights the shares are made to add
  // to π, which is ½ of each for a full turn.
  const double base = job.parker_delta_rad > 0 ? 1.0 : std::numbers::pi / job.arc.span_rad;
  FilterView out;
  out.corner = detector_point(pose, detector, {0, 0}) - pose.source_mm;
  out.per_column = pose.detector_u * detector.pitch_u_mm;
  out.per_row = pose.detector_v * detector.pitch_v_mm;
  out.width = detector.width_px;
  out.toward_axis = arc_view.toward_axis;
  out.tangent = arc_view.tangent;
  out.radius_mm = arc_view.radius_mm;
  out.share = base * arc_view.share_rad;
  out.angle_rad = arc_view.angle_rad;
  out.delta_rad = job.parker_delta_rad;
  out.half_fan = job.half_fan;
  return out;
}

BackProjectPlanes back_project_planes(const FdkInput& input, const SourceArc& arc, std::size_t view) {
  const Pose& pose = input.poses[view];
  const ArcView& arc_view = arc.views[view];
  const Detector& detector = input.detector;
  const Vec3d to_center = pose.detector_center_mm - pose.source_mm;
  const Vec3d normal = cross(pose.detector_u, pose.detector_v);
  const Vec3d depth = normal / dot(to_center, normal);
  // Padded sample coordinate = px + ½; px = (point on detector − centre)·u / pitch + size/2.
  const auto along = [&](Vec3d axis, double pitch_mm, int size_px) {
    return axis / pitch_mm + depth * (0.5 * size_px + 0.5 - dot(to_center, axis) / pitch_mm);
  };
  const auto plane = [&](Vec3d direction) { return plane_of(input.grid, pose.source_mm, direction); };
  return {plane(along(pose.detector_u, detector.pitch_u_mm, detector.width_px)),
          plane(along(pose.detector_v, detector.pitch_v_mm, detector.height_px)), plane(depth),
          plane(arc_view.toward_axis / arc_view.radius_mm)};
}

std::size_t filter_length(std::size_t width) {
  std::size_t n = 2;
  while (n < 2 * width) n *= 2;
  return n;
}

HostVector<double> filter_spectrum(std::size_t n) {
  HostVector<std::complex<double>> kernel(n), spectrum(n);
  const auto half = static_cast<int>(n / 2);
  for (int i = -half; i < half; ++i)
    kernel[static_cast<std::size_t>(i < 0 ? i + static_cast<int>(n) : i)] = ramp_kernel<double>(i);
  Eigen::FFT<double> fft;
  fft.fwd(spectrum.data(), kernel.data(), static_cast<Eigen::Index>(n));
  HostVector<double> filter(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double frequency = static_cast<double>(std::min(k, n - k)) / static_cast<double>(half);
    filter[k] = spectrum[k].real() * hann_window(frequency) / static_cast<double>(n);
  }
  return filter;
}

HostVector<double> filter_taps(std::size_t width) {
  const HostVector<double> filter = filter_spectrum(filter_length(width));
  const HostVector<std::complex<double>> spectrum(filter.begin(), filter.end());
  HostVector<std::complex<double>> kernel(spectrum.size());
  Eigen::FFT<double> fft(Eigen::FFT<double>::impl_type(), Eigen::FFT<double>::Unscaled);
  fft.inv(kernel.data(), spectrum.data(), static_cast<Eigen::Index>(spectrum.size()));
  HostVector<double> taps(width);
  for (std::size_t m = 0; m < width; ++m) taps[m] = kernel[m].real();
  return taps;
}

}  // namespace dsasrgs
