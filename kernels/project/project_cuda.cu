// SPDX-License-Identifier: Apache-2.0
#include "common/block_sum.cuh"
#include "common/store.cuh"
#include "project/project_bodies.hpp"
#include "project/project_pose_math.hpp"

namespace dsasrgs::cuda {

namespace {

__device__ Vec3<float> load3(View<const float> v, std::size_t i) { return {v[3 * i], v[3 * i + 1], v[3 * i + 2]}; }
__device__ Quat<float> load4(View<const float> v, std::size_t i) {
  return {v[4 * i], v[4 * i + 1], v[4 * i + 2], v[4 * i + 3]};
}

__device__ void store3(View<float> destination, std::size_t i, Vec3<float> value, GradientMode mode) {
  store(destination[3 * i], value.x, mode);
  store(destination[3 * i + 1], value.y, mode);
  store(destination[3 * i + 2], value.z, mode);
}
__device__ void store4(View<float> destination, std::size_t i, Quat<float> value, GradientMode mode) {
  store(destination[4 * i], value.w, mode);
  store(destination[4 * i + 1], value.x, mode);
  store(destination[4 * i + 2], value.y, mode);
  store(destination[4 * i + 3], value.z, mode);
}

__device__ ProjectionUpstream<float> load_upstream(const ProjectUpstream& upstream, std::size_t i) {
  return {upstream.mean_px[2 * i],   upstream.mean_px[2 * i + 1], upstream.conic[3 * i],
          upstream.conic[3 * i + 1], upstream.conic[3 * i + 2],   upstream.amplitude[i]};
}

__device__ bool in_front(const ProjectionConstants<float>& view, Vec3<float> position) {
  return projection_depth(view, position) > view.nearest_z;
}

__global__ void __launch_bounds__(128)
    project_gaussians_kernel(ProjectionConstants<float> view, GaussianView gaussians, View<const float> density,
                             int width_px, int height_px, ProjectOutput out) {
  const std::size_t i = thread_index();
  if (3 * i >= gaussians.position_mm.size()) return;
  const Vec3<float> position = load3(gaussians.position_mm, i);
  // What a Gaussian that cannot be projected gets.
  float mean_u = 0, mean_v = 0, conic_xx = 1, conic_xy = 0, conic_yy = 1, amplitude = 0;
  PixelBox box{0, 0, 0, 0};
  if (in_front(view, position)) {
    const Projection<float> p = project_gaussian(view, position, load3(gaussians.raw_scale, i),
                                                 load4(gaussians.rotation, i), density.empty() ? 0.0f : density[i]);
    mean_u = p.mean_u;
    mean_v = p.mean_v;
    conic_xx = p.conic_xx;
    conic_xy = p.conic_xy;
    conic_yy = p.conic_yy;
    amplitude = p.amplitude;
    pixel_range(mean_u, kCutoff * sqrtf(p.cov_xx), width_px, box.x_begin, box.x_end);
    pixel_range(mean_v, kCutoff * sqrtf(p.cov_yy), height_px, box.y_begin, box.y_end);
  }
  if (!out.mean_px.empty()) {
    out.mean_px[2 * i] = mean_u;
    out.mean_px[2 * i + 1] = mean_v;
  }
  if (!out.conic.empty()) {
    out.conic[3 * i] = conic_xx;
    out.conic[3 * i + 1] = conic_xy;
    out.conic[3 * i + 2] = conic_yy;
  }
  if (!out.amplitude.empty()) out.amplitude[i] = amplitude;
  if (!out.box.empty()) out.box[i] = box;
}

__global__ void __launch_bounds__(128)
    project_gradients(ProjectionConstants<float> view, GaussianView gaussians, View<const float> density,
                      ProjectUpstream upstream, GradientMode mode, GaussianGradient gradient) {
  const std::size_t i = thread_index();
  if (i >= density.size()) return;
  const Vec3<float> position = load3(gaussians.position_mm, i);
  ProjectionGradient<float> g{{}, {}, {0, 0, 0, 0}, 0};
  if (in_front(view, position)) {
    const Quat<float> rotation = load4(gaussians.rotation, i);
    const Projection<float> p = project_gaussian(view, position, load3(gaussians.raw_scale, i), rotation, density[i]);
    g = project_gaussian_vjp(view, p, rotation, load_upstream(upstream, i));
  } else if (mode == GradientMode::accumulate) {
    return;
  }
  store3(gradient.position_mm, i, g.position, mode);
  store3(gradient.raw_scale, i, g.raw_scale, mode);
  store4(gradient.rotation, i, g.rotation, mode);
  store(gradient.density[i], g.density, mode);
}

/// The parts of the sums: as many threads as block_sum.cuh has, each of which takes Gaussians in steps of all of them.
__global__ void __launch_bounds__(kSumThreads)
    project_pose_gradients(ProjectionConstants<float> view, GaussianView gaussians, View<const float> density,
                           ProjectUpstream upstream, float* partial) {
  float sum[kPoseSums] = {};
  for (std::size_t i = thread_index(); i < density.size(); i += std::size_t{gridDim.x} * kSumThreads) {
    const Vec3<float> position = load3(gaussians.position_mm, i);
    if (!in_front(view, position)) continue;
    const Quat<float> rotation = load4(gaussians.rotation, i);
    const Projection<float> p = project_gaussian(view, position, load3(gaussians.raw_scale, i), rotation, density[i]);
    float g[kPoseSums];
    project_gaussian_pose_vjp(view, p, position, rotation, load_upstream(upstream, i)).write(g);
    for (int m = 0; m < kPoseSums; ++m) sum[m] += g[m];
  }
  store_part(sum, partial);
}

__global__ void __launch_bounds__(128)
    project_pose_tangents(ProjectionConstants<float> view, PoseConstants<float> direction, GaussianView gaussians,
                          View<const float> density, ProjectTangent out) {
  const std::size_t i = thread_index();
  if (i >= density.size()) return;
  const Vec3<float> position = load3(gaussians.position_mm, i);
  ProjectionTangent<float> d{};
  if (in_front(view, position))
    d = project_gaussian_pose_jvp(
        view, project_gaussian(view, position, load3(gaussians.raw_scale, i), load4(gaussians.rotation, i), density[i]),
        position, direction);
  out.mean_px[2 * i] = d.mean_u;
  out.mean_px[2 * i + 1] = d.mean_v;
  out.conic[3 * i] = d.conic_xx;
  out.conic[3 * i + 1] = d.conic_xy;
  out.conic[3 * i + 2] = d.conic_yy;
  out.amplitude[i] = d.amplitude;
}

// Small blocks: the kernels need many registers, and a cloud should still spread over all multiprocessors.
Grid grid_for(std::size_t n) { return one_thread_each(n, 128); }

ProjectionConstants<float> constants(const ProjectInput& in) {
  return projection_constants(in.pose, in.detector, in.gaussians.bounds, in.pixel_footprint).as<float>();
}

}  // namespace

void project_forward(Context& ctx, const ProjectInput& in, const ProjectOutput& out) {
  launch(ctx, "project_forward", grid_for(in.gaussians.size()), project_gaussians_kernel, constants(in), in.gaussians,
         in.density, in.detector.width_px, in.detector.height_px, out);
}

void project_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, GradientMode mode,
                      const GaussianGradient& gradient) {
  launch(ctx, "project_backward", grid_for(in.gaussians.size()), project_gradients, constants(in), in.gaussians,
         in.density, upstream, mode, gradient);
}

void project_pose_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, PoseScratch& scratch,
                           View<float> sums) {
  const Grid grid = sum_grid(in.gaussians.size());
  float* partial = sum_parts_memory<kPoseSums>(ctx, scratch.partial);
  launch(ctx, "project_pose_backward", grid, project_pose_gradients, constants(in), in.gaussians, in.density, upstream,
         partial);
  sum_parts<kPoseSums>(ctx, "project_pose_backward (sum)", grid, partial, 1, false, sums.data());
}

void project_pose_forward(Context& ctx, const ProjectInput& in, const PoseTangent& tangent, const ProjectTangent& out) {
  launch(ctx, "project_pose_forward", grid_for(in.gaussians.size()), project_pose_tangents, constants(in),
         projection_constants_jvp(in.pose, in.detector, tangent).as<float>(), in.gaussians, in.density, out);
}

}  // namespace dsasrgs::cuda
