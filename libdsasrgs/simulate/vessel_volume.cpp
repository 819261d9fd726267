// SPDX-License-Identifier: Apache-2.0
// Attenuation of a vessel tree sampled on a voxel grid.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "dsasrgs/buffer.hpp"
#include "simulate/vessel_rays.hpp"
#include "simulate/vessel_tree.hpp"

namespace dsasrgs {

namespace {

constexpr int kMostSide = 1 << 20;  // so that samples are counted in int

struct SampleRange {
  int first = 0, last = -1;
  double count() const { return last - first + 1.0; }
};

/// Samples of one axis whose points may lie in [low, high] mm.
SampleRange samples_within(double low, double high, double origin_mm, double step_mm, int count) {
  const double first = std::ceil((low - origin_mm) / step_mm - 0.5),
               last = std::floor((high - origin_mm) / step_mm - 0.5);
  return {static_cast<int>(std::clamp(first, 0.0, static_cast<double>(count))),
          static_cast<int>(std::clamp(last, -1.0, static_cast<double>(count - 1)))};
}

std::vector<float> sampled(Context& ctx, const VesselTree& tree, const ContrastCurves& curves, const VolumeGrid& grid,
                           int samples, const std::vector<double>& times_s) {
  constexpr const char* kOp = "vessel_volume";
  check_vessel_tree(tree);
  require_size(kOp, "curves", tree.nodes.size(), curves.size());
  require_field(samples >= 1 && samples <= kMostSamples, "samples", "1 to 64", samples);
  require(!times_s.empty(), "times_s", "expected at least one time, found none");
  for (std::size_t i = 0; i < times_s.size(); ++i)
    if (!std::isfinite(times_s[i]))
      require_field(false, "times_s[" + std::to_string(i) + "]", "a finite time", times_s[i]);
  require_grid(kOp, grid);
  for (const int side : {grid.size_x, grid.size_y, grid.size_z})
    require_field(side <= kMostSide, "grid", "at most 1048576 voxels a side", side);
  const double num_samples = static_cast<double>(grid.num_voxels()) * std::pow(samples, 3);

  // Which capsule owns a point does not change with time, so the mean over time can be taken at the nodes.
  std::vector<double> attenuation(tree.nodes.size());
  for (const double t : times_s)
    for (std::size_t i = 0; i < attenuation.size(); ++i)
      attenuation[i] += curves.attenuation(i, t) / static_cast<double>(times_s.size());

  const std::vector<VesselCapsule> capsules = vessel_capsules(tree);
  const Vec3d step = grid.spacing_mm / samples;
  struct Box {
    SampleRange x, y, z;
  };
  std::vector<Box> boxes;
  double overlap = 0;
  std::vector<std::vector<int>> of_layer(grid.size_z);
  for (std::size_t i = 0; i < capsules.size(); ++i) {
    const Capsule<double>& c = capsules[i].shape;
    const Vec3d a = c.a, b = c.a + c.axis * c.length;
    const auto range = [&](double pa, double pb, double origin, double step_mm, int size) {
      return samples_within(std::min(pa - c.radius_a, pb - c.radius_b), std::max(pa + c.radius_a, pb + c.radius_b),
                            origin, step_mm, size * samples);
    };
    boxes.push_back({range(a.x, b.x, grid.origin_mm.x, step.x, grid.size_x),
                     range(a.y, b.y, grid.origin_mm.y, step.y, grid.size_y),
                     range(a.z, b.z, grid.origin_mm.z, step.z, grid.size_z)});
    const Box& box = boxes.back();
    if (box.x.first > box.x.last || box.y.first > box.y.last || box.z.first > box.z.last) continue;
    overlap += box.x.count() * box.y.count() * box.z.count() / num_samples;
    for (int z = box.z.first / samples; z <= box.z.last / samples; ++z) of_layer[z].push_back(static_cast<int>(i));
  }

  require_overlap(overlap, kMostOverlapOfSamples);

  std::vector<float> volume = host_vector<float>(grid.num_voxels());
  const std::size_t layer_size = static_cast<std::size_t>(grid.size_x) * static_cast<std::size_t>(grid.size_y);
  const auto per_voxel = static_cast<std::size_t>(samples);
  const std::size_t row = static_cast<std::size_t>(grid.size_x) * per_voxel;
  const std::size_t plane = row * static_cast<std::size_t>(grid.size_y) * per_voxel;
  const double weight = 1 / std::pow(samples, 3);
  parallel_for(ctx, static_cast<std::size_t>(grid.size_z), [&](std::size_t z) {
    ctx.throw_if_stopped("vessel_volume");
    if (of_layer[z].empty()) return;
    std::vector<double> sum(layer_size);
    std::vector<double> nearest(plane), value(plane);
    for (int s = 0; s < samples; ++s) {
      const int sz = static_cast<int>(z) * samples + s;
      std::fill(nearest.begin(), nearest.end(), std::numeric_limits<double>::infinity());
      std::fill(value.begin(), value.end(), 0.0);
      for (const int i : of_layer[z]) {
        const Box& box = boxes[i];
        if (sz < box.z.first || sz > box.z.last) continue;
        const VesselCapsule& c = capsules[i];
        for (int sy = box.y.first; sy <= box.y.last; ++sy)
          for (int sx = box.x.first; sx <= box.x.last; ++sx) {
            const Vec3d p = grid.origin_mm + Vec3d{(sx + 0.5) * step.x, (sy + 0.5) * step.y, (sz + 0.5) * step.z};
            if (!capsule_contains(c.shape, p)) continue;
            const std::size_t at = static_cast<std::size_t>(sy) * row + static_cast<std::size_t>(sx);
            const double d2 = axis_distance2(c.shape, p);
            if (!(d2 < nearest[at])) continue;
            nearest[at] = d2;
            const double f = axis_fraction(c.shape, p);
            value[at] = attenuation[c.node_a] * (1 - f) + attenuation[c.node_b] * f;
          }
      }
      for (std::size_t sy = 0; sy < plane / row; ++sy)
        for (std::size_t sx = 0; sx < row; ++sx)
          sum[sy / per_voxel * (row / per_voxel) + sx / per_voxel] += value[sy * row + sx];
    }
    for (std::size_t i = 0; i < layer_size; ++i) volume[z * layer_size + i] = static_cast<float>(sum[i] * weight);
  });
  return volume;
}

}  // namespace

std::vector<float> vessel_volume(Context& ctx, const VesselTree& tree, const ContrastCurves& curves,
                                 const VolumeGrid& grid, int samples, const std::vector<double>& times_s) try {
  // A layer's samples, which each thread needs, are counted as if all were one.
  const std::size_t plane = num_elements(grid.size_x, grid.size_y, std::clamp(samples, 1, kMostSamples));
  return with_host_memory(vessel_bytes(tree, plane * static_cast<std::size_t>(std::clamp(samples, 1, kMostSamples))),
                          [&] { return sampled(ctx, tree, curves, grid, samples, times_s); });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
