// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "project/float4.hpp"
#include "project/project_bodies.hpp"
#include "project/project_pose_math.hpp"

namespace dsasrgs::cpu {

namespace {

constexpr std::size_t kBlock = 1024;  // Gaussians per task

/// Four consecutive Gaussians; past the end the last one is repeated.
struct Group {
  std::size_t first, count;

  Group(std::size_t i, std::size_t end) : first(i), count(std::min(Float4::kLanes, end - i)) {}
  /// Component `k` of [N, Width] data.
  template <std::size_t Width>
  Float4 load(View<const float> data, std::size_t k) const {
    const float* p = data.data() + Width * first + k;
    if (count == Float4::kLanes) return Float4(Float4::Vector{p[0], p[Width], p[2 * Width], p[3 * Width]});
    const auto lane = [&](std::size_t l) { return p[Width * std::min(l, count - 1)]; };
    return Float4(Float4::Vector{lane(0), lane(1), lane(2), lane(3)});
  }
  template <std::size_t Width>
  Vec3<Float4> load3(View<const float> data) const {
    return {load<Width>(data, 0), load<Width>(data, 1), load<Width>(data, 2)};
  }
  Quat<Float4> load_rotation(View<const float> data) const {
    return {load<4>(data, 0), load<4>(data, 1), load<4>(data, 2), load<4>(data, 3)};
  }
};

/// The Gaussians of a group. A Gaussian that cannot be projected is moved to where it can; its results are not used.
struct Gaussians {
  Vec3<Float4> position, raw_scale;
  Quat<Float4> rotation;
  Float4 density;
  bool in_front[Float4::kLanes];
};

Gaussians load_gaussians(const ProjectionConstants<Float4>& view, const ProjectInput& in, const Group& group) {
  Gaussians k{group.load3<3>(in.gaussians.position_mm),
              group.load3<3>(in.gaussians.raw_scale),
              group.load_rotation(in.gaussians.rotation),
              in.density.empty() ? Float4(0.0f) : group.load<1>(in.density, 0),
              {}};
  const Float4 z = projection_depth(view, k.position);
  bool all = true;
  for (std::size_t l = 0; l < Float4::kLanes; ++l) all &= k.in_front[l] = z[l] > view.nearest_z[l];
  if (!all) {
    const Vec3<Float4> anywhere = view.source_mm + view.normal;
    for (std::size_t l = 0; l < Float4::kLanes; ++l) {
      if (k.in_front[l]) continue;
      k.position.x.v[l] = anywhere.x[l];
      k.position.y.v[l] = anywhere.y[l];
      k.position.z.v[l] = anywhere.z[l];
    }
  }
  return k;
}

ProjectionUpstream<Float4> load_upstream(const ProjectUpstream& upstream, const Group& group) {
  return {group.load<2>(upstream.mean_px, 0), group.load<2>(upstream.mean_px, 1), group.load<3>(upstream.conic, 0),
          group.load<3>(upstream.conic, 1),   group.load<3>(upstream.conic, 2),   group.load<1>(upstream.amplitude, 0)};
}

ProjectionConstants<Float4> constants(const ProjectInput& in) {
  return projection_constants(in.pose, in.detector, in.gaussians.bounds, in.pixel_footprint).as<Float4>();
}

/// Writes or adds one Gaussian's components; Gaussians that are not projected have none but 0.
template <std::size_t Width>
void store(View<float> destination, const Group& group, const Gaussians& gaussians, GradientMode mode,
           const Float4 (&value)[Width]) {
  for (std::size_t l = 0; l < group.count; ++l) {
    float* p = destination.data() + Width * (group.first + l);
    for (std::size_t k = 0; k < Width; ++k) {
      const float g = gaussians.in_front[l] ? value[k][l] : 0.0f;
      p[k] = mode == GradientMode::accumulate ? p[k] + g : g;
    }
  }
}

}  // namespace

void project_forward(Context& ctx, const ProjectInput& in, const ProjectOutput& out) {
  const ProjectionConstants<Float4> view = constants(in);
  parallel_blocks(ctx, in.gaussians.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; i += Float4::kLanes) {
      const Group group(i, end);
      const Gaussians k = load_gaussians(view, in, group);
      const Projection<Float4> p = project_gaussian(view, k.position, k.raw_scale, k.rotation, k.density);
      const Float4 cutoff(kCutoff), extent_x = cutoff * sqrt(p.cov_xx), extent_y = cutoff * sqrt(p.cov_yy);
      for (std::size_t l = 0; l < group.count; ++l) {
        const bool in_front = k.in_front[l];
        if (!out.mean_px.empty()) {
          out.mean_px[2 * (i + l)] = in_front ? p.mean_u[l] : 0.0f;
          out.mean_px[2 * (i + l) + 1] = in_front ? p.mean_v[l] : 0.0f;
        }
        if (!out.conic.empty()) {
          float* const conic = out.conic.data() + 3 * (i + l);
          conic[0] = in_front ? p.conic_xx[l] : 1.0f;
          conic[1] = in_front ? p.conic_xy[l] : 0.0f;
          conic[2] = in_front ? p.conic_yy[l] : 1.0f;
        }
        if (!out.amplitude.empty()) out.amplitude[i + l] = in_front ? p.amplitude[l] : 0.0f;
        if (out.box.empty()) continue;
        PixelBox box{0, 0, 0, 0};
        if (in_front) {
          pixel_range(p.mean_u[l], extent_x[l], in.detector.width_px, box.x_begin, box.x_end);
          pixel_range(p.mean_v[l], extent_y[l], in.detector.height_px, box.y_begin, box.y_end);
        }
        out.box[i + l] = box;
      }
    }
  });
}

void project_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, GradientMode mode,
                      const GaussianGradient& gradient) {
  const ProjectionConstants<Float4> view = constants(in);
  parallel_blocks(ctx, in.gaussians.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; i += Float4::kLanes) {
      const Group group(i, end);
      const Gaussians k = load_gaussians(view, in, group);
      const Projection<Float4> p = project_gaussian(view, k.position, k.raw_scale, k.rotation, k.density);
      const ProjectionGradient<Float4> g = project_gaussian_vjp(view, p, k.rotation, load_upstream(upstream, group));
      store<3>(gradient.position_mm, group, k, mode, {g.position.x, g.position.y, g.position.z});
      store<3>(gradient.raw_scale, group, k, mode, {g.raw_scale.x, g.raw_scale.y, g.raw_scale.z});
      store<4>(gradient.rotation, group, k, mode, {g.rotation.w, g.rotation.x, g.rotation.y, g.rotation.z});
      store<1>(gradient.density, group, k, mode, {g.density});
    }
  });
}

namespace {
using PoseSums = std::array<double, kPoseSums>;
}

void project_pose_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, PoseScratch&,
                           View<float> sums) {
  const ProjectionConstants<Float4> view = constants(in);
  const std::size_t n = in.gaussians.size();
  HostVector<PoseSums> of_block((n + kBlock - 1) / kBlock);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    Float4 sum[kPoseSums];
    for (Float4& s : sum) s = Float4(0);
    for (std::size_t i = begin; i < end; i += Float4::kLanes) {
      const Group group(i, end);
      const Gaussians k = load_gaussians(view, in, group);
      const Projection<Float4> p = project_gaussian(view, k.position, k.raw_scale, k.rotation, k.density);
      Float4 g[kPoseSums];
      project_gaussian_pose_vjp(view, p, k.position, k.rotation, load_upstream(upstream, group)).write(g);
      for (std::size_t l = 0; l < Float4::kLanes; ++l)
        if (l >= group.count || !k.in_front[l])
          for (Float4& x : g) x.v[l] = 0;
      for (int m = 0; m < kPoseSums; ++m) sum[m] += g[m];
    }
    for (int m = 0; m < kPoseSums; ++m)
      of_block[begin / kBlock][m] = double{sum[m][0]} + double{sum[m][1]} + double{sum[m][2]} + double{sum[m][3]};
  });
  PoseSums total{};
  for (const PoseSums& s : of_block)
    for (int m = 0; m < kPoseSums; ++m) total[m] += s[m];
  for (int m = 0; m < kPoseSums; ++m) sums[m] = static_cast<float>(total[m]);
}

void project_pose_forward(Context& ctx, const ProjectInput& in, const PoseTangent& tangent, const ProjectTangent& out) {
  const ProjectionConstants<Float4> view = constants(in);
  const PoseConstants<Float4> direction = projection_constants_jvp(in.pose, in.detector, tangent).as<Float4>();
  parallel_blocks(ctx, in.gaussians.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; i += Float4::kLanes) {
      const Group group(i, end);
      const Gaussians k = load_gaussians(view, in, group);
      const Projection<Float4> p = project_gaussian(view, k.position, k.raw_scale, k.rotation, k.density);
      const ProjectionTangent<Float4> d = project_gaussian_pose_jvp(view, p, k.position, direction);
      store<2>(out.mean_px, group, k, GradientMode::overwrite, {d.mean_u, d.mean_v});
      store<3>(out.conic, group, k, GradientMode::overwrite, {d.conic_xx, d.conic_xy, d.conic_yy});
      store<1>(out.amplitude, group, k, GradientMode::overwrite, {d.amplitude});
    }
  });
}

}  // namespace dsasrgs::cpu
