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

/// Largest |fan angle| of any view's detector. Throws InvalidArgument when a detector is not in front of its source.
double largest_fan_angle_rad(const FdkInput& input, const SourceArc& arc) {
  double largest = 0;
  for (std::size_t i = 0; i < input.poses.size(); ++i)
    for (const double px : {0.0, static_cast<double>(input.detector.width_px)})
      for (const double py : {0.0, static_cast<double>(input.detector.height_px)}) {
        const Vec3d ray = detector_point(input.poses[i], input.detector, {px, py}) - input.poses[i].source_mm;
        const double depth = dot(ray, arc.views[i].toward_axis);
        require(depth > 0, kOp, "poses: view ", i, ": expected a detector beyond the source towards the rotation axis");
        largest = std::max(largest, std::abs(std::atan2(dot(ray, arc.views[i].tangent), depth)));
      }
  return largest;
}

void reconstruct(Context& ctx, const FdkInput& input, View<float> volume) {
  const SourceArc arc = fit_source_arc(input.poses);
  const double fan_rad = largest_fan_angle_rad(input, arc);
  const double delta_rad = (arc.span_rad - std::numbers::pi) / 2;
  const bool parker = !arc.full_turn && delta_rad >= fan_rad;
  const FdkJob job{input, arc, parker ? delta_rad : 0.0};
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::fdk_reconstruct(ctx, job, volume);
  cpu::fdk_reconstruct(ctx, job, volume);
}

}  // namespace

void fdk_reconstruct(Context& ctx, const FdkInput& input, View<float> volume) {
  require_input(input, volume.size());
  // What Eigen asks for: the sources' circle by least squares, and the transform of a row.
  const std::size_t eigen_bytes =
      8 * input.poses.size() * sizeof(double) +
      filter_length(static_cast<std::size_t>(input.detector.width_px)) * sizeof(std::complex<double>);
  with_host_memory(eigen_bytes, [&] { reconstruct(ctx, input, volume); });
}

}  // namespace dsasrgs
