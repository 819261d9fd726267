#include "voxelize/voxelize_kernels.hpp"

#include <algorithm>
#include <cmath>

#include "common/parallel.hpp"

namespace dsasrgs::cpu {
namespace {

/// Kernels per task.
constexpr std::size_t kBlock = 256;
/// Voxels per brick along x, y and z; the last is a slab.
constexpr int kBrick_x = 32, kBrick_y = 16;

/// Voxel centres within `half` of `center` along one axis, all in voxels.
struct AxisRange {
  double offset = 0;
  int anchor = 0, begin = 0, end = 0;
};
AxisRange axis_range(double center, double half, int size) {
  const double last = size - 1;
  const double lo = std::max(std::ceil(center - half), 0.0), hi = std::min(std::floor(center + half), last);
  if (!(lo <= hi)) return {};
  const int anchor = static_cast<int>(std::clamp(std::round(center), 0.0, last));
  return {center - anchor, anchor, static_cast<int>(lo), static_cast<int>(hi) + 1};
}

/// The kernel in voxel units; its range of slices is empty when its box misses every voxel centre or it is not finite.
VoxelKernel voxel_kernel(const VoxelizeInput& in, std::size_t i) {
  const VolumeGrid& grid = in.grid;
  const RawKernel raw = raw_kernel(in.gaussians, i);
  const VoxelShape<double> shape = shape_of(in.gaussians, raw);
  const Vec3d h = grid.spacing_mm, from = raw.position_mm - grid.origin_mm;
  const Vec3d half_mm = voxel_half_extent<double>(shape, kCutoff);
  const AxisRange x = axis_range(from.x / h.x - 0.5, half_mm.x / h.x, grid.size_x);
  const AxisRange y = axis_range(from.y / h.y - 0.5, half_mm.y / h.y, grid.size_y);
  const AxisRange z = axis_range(from.z / h.z - 0.5, half_mm.z / h.z, grid.size_z);
  const Mat3<double>& u = shape.whitening;
  const bool seen = x.begin < x.end && y.begin < y.end && z.begin < z.end && std::isfinite(u.r0.x + u.r1.y + u.r2.z);
  if (!seen) return {};
  const auto f = [](double v) { return static_cast<float>(v); };
  return {f(u.r0.x * h.x),
          f(u.r0.y * h.y),
          f(u.r0.z * h.z),
          f(u.r1.y * h.y),
          f(u.r1.z * h.z),
          f(u.r2.z * h.z),
          f(1 / (u.r0.x * h.x)),
          f(x.offset),
          f(y.offset),
          f(z.offset),
          x.anchor,
          y.anchor,
          z.anchor,
          z.begin,
          z.end,
          static_cast<std::uint32_t>(i)};
}

}  // namespace

RawKernel raw_kernel(const GaussianView& g, std::size_t i) {
  const float *p = g.position_mm.data() + 3 * i, *s = g.raw_scale.data() + 3 * i, *q = g.rotation.data() + 4 * i;
  return {{p[0], p[1], p[2]}, {s[0], s[1], s[2]}, {q[0], q[1], q[2], q[3]}};
}
VoxelShape<double> shape_of(const GaussianView& g, const RawKernel& k) {
  return voxel_shape<double>(k.raw_scale, k.rotation, g.bounds.min_mm, g.bounds.max_mm);
}

std::vector<VoxelKernel> sorted_kernels(const Context& ctx, const VoxelizeInput& in) {
  std::vector<VoxelKernel> kernels(in.gaussians.size());
  parallel_blocks(ctx, kernels.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) kernels[i] = voxel_kernel(in, i);
  });
  const std::size_t bricks_x = static_cast<std::size_t>((in.grid.size_x + kBrick_x - 1) / kBrick_x);
  const std::size_t bricks_y = static_cast<std::size_t>((in.grid.size_y + kBrick_y - 1) / kBrick_y);
  const std::size_t bricks_z = static_cast<std::size_t>((in.grid.size_z + kSlab - 1) / kSlab);
  const auto brick = [&](const VoxelKernel& k) {
    return (static_cast<std::size_t>(k.anchor_z / kSlab) * bricks_y + static_cast<std::size_t>(k.anchor_y / kBrick_y)) *
               bricks_x +
           static_cast<std::size_t>(k.anchor_x / kBrick_x);
  };
  std::vector<std::size_t> next(bricks_x * bricks_y * bricks_z + 1, 0);
  for (const VoxelKernel& k : kernels)
    if (k.z_begin < k.z_end) ++next[brick(k) + 1];
  for (std::size_t b = 1; b < next.size(); ++b) next[b] += next[b - 1];
  std::vector<VoxelKernel> sorted(next.back());
  for (const VoxelKernel& k : kernels)
    if (k.z_begin < k.z_end) sorted[next[brick(k)]++] = k;
  return sorted;
}

SlabLists bin_by_slab(const std::vector<VoxelKernel>& kernels, View<const float> density, int size_z) {
  SlabLists bins;
  bins.begin.assign(static_cast<std::size_t>((size_z + kSlab - 1) / kSlab) + 1, 0);
  for (const VoxelKernel& k : kernels)
    if (density[k.index] != 0)
      for (int s = k.z_begin / kSlab; s <= (k.z_end - 1) / kSlab; ++s) ++bins.begin[s + 1];
  for (std::size_t s = 1; s < bins.begin.size(); ++s) bins.begin[s] += bins.begin[s - 1];
  bins.list.resize(bins.begin.back());
  std::vector<std::size_t> next(bins.begin.begin(), bins.begin.end() - 1);
  for (std::size_t i = 0; i < kernels.size(); ++i)
    if (density[kernels[i].index] != 0)
      for (int s = kernels[i].z_begin / kSlab; s <= (kernels[i].z_end - 1) / kSlab; ++s)
        bins.list[next[s]++] = static_cast<std::uint32_t>(i);
  return bins;
}

}  // namespace dsasrgs::cpu
