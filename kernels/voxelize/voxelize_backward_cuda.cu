// SPDX-License-Identifier: Apache-2.0
// Backward: a warp gathers the moments of one Gaussian over its own footprint, with no atomics; then a thread per
// Gaussian turns them into gradients.

#include "voxelize/voxelize_bodies.hpp"
#include "voxelize/voxelize_gaussians.cuh"

namespace dsasrgs::cuda {

namespace {

/// A warp's lanes: kRowLanes neighbouring voxels of each of its rows.
constexpr unsigned kRowLanes = 4, kRows = 32 / kRowLanes;

__device__ void add_voxel(VoxelMoments<float>& m, const Whitened& w, float g) {
  const float gh = g * w.h, gb = g * w.b, gc = g * w.c;
  m.one += g;
  m.h += gh;
  m.b += gb;
  m.c += gc;
  m.hh += gh * w.h;
  m.hb += gh * w.b;
  m.hc += gh * w.c;
  m.bb += gb * w.b;
  m.bc += gb * w.c;
  m.cc += gc * w.c;
}

/// Moments of g·G over a Gaussian's voxels: a warp per Gaussian goes through the rows of its box, of each through the
/// chord the cut leaves. The chord is a little too long, like the box; the distance decides.
__global__ void __launch_bounds__(256)
    sum_moments_kernel(const PackedGaussian* packed, const VoxelBox* boxes, std::size_t n, int size_x, int size_y,
                       const float* grad_volume, VoxelMoments<float>* moments) {
  constexpr float kCut2 = static_cast<float>(kBoxCutoff * kBoxCutoff);
  const std::size_t i = thread_index() / 32;
  if (i >= n) return;
  const VoxelBox box = boxes[i];
  if (is_empty(box)) return;
  const PackedGaussian k = packed[i];
  const unsigned lane = lane_index(), rows_y = static_cast<unsigned>(box.end.y - box.begin.y);
  const unsigned num_rows = rows_y * static_cast<unsigned>(box.end.z - box.begin.z);
  const float first_x = static_cast<float>(box.begin.x), last_x = static_cast<float>(box.end.x - 1);
  VoxelMoments<float> m;
  for (unsigned r = lane / kRowLanes; r < num_rows; r += kRows) {
    const int y = box.begin.y + static_cast<int>(r % rows_y), z = box.begin.z + static_cast<int>(r / rows_y);
    const float fy = static_cast<float>(y), fz = static_cast<float>(z);
    // At x = anchor + offset, the centre's column, h is what the row alone gives.
    const float dy = (fy - k.anchor.y) - k.offset.y, dz = (fz - k.anchor.z) - k.offset.z;
    const float a = k.first_row.y * dy + k.first_row.z * dz, b = k.first_row.w * dy + k.rest.x * dz, c = k.rest.y * dz;
    const float left = kCut2 - b * b - c * c;
    if (left < 0.0f) continue;
    const float half = sqrtf(left), inverse = k.rest.w;
    const float first = fmaxf(k.anchor.x + ceilf(k.offset.x - (half + a) * inverse), first_x);
    const float last = fminf(k.anchor.x + floorf(k.offset.x + (half - a) * inverse), last_x);
    const float* row = grad_volume + (static_cast<std::size_t>(z) * size_y + y) * size_x;
    for (float x = first + static_cast<float>(lane % kRowLanes); x <= last; x += static_cast<float>(kRowLanes)) {
      const Whitened w = whiten(k, x, fy, fz);
      if (is_inside(w)) add_voxel(m, w, row[static_cast<int>(x)] * gaussian(w));
    }
  }
  for (float* sum : {&m.one, &m.h, &m.b, &m.c, &m.hh, &m.hb, &m.hc, &m.bb, &m.bc, &m.cc}) *sum = sum_over_lanes(*sum);
  if (lane == 0) moments[i] = m;
}

/// Gradients of one Gaussian from its moments, in double as the set-up; 0 for a Gaussian that adds nothing.
__global__ void __launch_bounds__(128)
    apply_vjp_kernel(GaussianView gaussians, View<const float> density, const VoxelBox* boxes,
                     const VoxelMoments<float>* moments, std::size_t n, bool accumulate, GaussianGradient grad) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  VoxelGradient<double> g;
  g.rotation.w = 0;  // a quaternion starts as the identity
  if (!is_empty(boxes[i])) {
    const RawGaussian raw = raw_gaussian(gaussians, i);
    const VoxelMoments<float> m = moments[i];
    g = voxel_gaussian_vjp<double>(shape_of(gaussians.bounds, raw), raw.rotation, gaussians.bounds.min_mm,
                                   gaussians.bounds.max_mm, density[i],
                                   {m.one, m.h, m.b, m.c, m.hh, m.hb, m.hc, m.bb, m.bc, m.cc});
  }
  const auto put = [accumulate](float& out, double v) {
    out = accumulate ? out + static_cast<float>(v) : static_cast<float>(v);
  };
  float *position = grad.position_mm.data() + 3 * i, *scale = grad.raw_scale.data() + 3 * i;
  float* rotation = grad.rotation.data() + 4 * i;
  put(position[0], g.position_mm.x);
  put(position[1], g.position_mm.y);
  put(position[2], g.position_mm.z);
  put(scale[0], g.raw_scale.x);
  put(scale[1], g.raw_scale.y);
  put(scale[2], g.raw_scale.z);
  put(rotation[0], g.rotation.w);
  put(rotation[1], g.rotation.x);
  put(rotation[2], g.rotation.y);
  put(rotation[3], g.rotation.z);
  put(grad.density[i], g.density);
}

}  // namespace

void voxelize_backward(Context& ctx, const VoxelizeInput& in, View<const float> grad_volume, GradientMode mode,
                       const GaussianGradient& grad) {
  const std::size_t n = in.gaussians.size();
  const VoxelGaussians gaussians = set_up_gaussians(ctx, in, false);
  Buffer<VoxelMoments<float>> moments(ctx, n);
  launch(ctx, "voxelize_moments", lanes_each(n, 32), sum_moments_kernel, gaussians.packed.data(),
         gaussians.boxes.data(), n, in.grid.size_x, in.grid.size_y, grad_volume.data(), moments.data());
  launch(ctx, "voxelize_vjp", one_thread_each(n, 128), apply_vjp_kernel, in.gaussians, in.density,
         gaussians.boxes.data(), moments.data(), n, mode == GradientMode::accumulate, grad);
}

}  // namespace dsasrgs::cuda
