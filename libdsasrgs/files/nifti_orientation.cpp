// SPDX-License-Identifier: Apache-2.0
// Volumes whose voxel axes are not the world's.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <string>
#include <utility>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs {

namespace {

constexpr double kAligned = 1e-4;
constexpr double kMostGrowth = 64;

Vec3d voxel_axis(const VoxelAffine& a, int c) { return {a.matrix[0][c], a.matrix[1][c], a.matrix[2][c]}; }
double along_axis(Vec3d v, int axis) { return axis == 0 ? v.x : axis == 1 ? v.y : v.z; }

std::string affine_text(const VoxelAffine& a) {
  std::string found;
  for (const auto& row : a.matrix)
    for (int c = 0; c < 3; ++c) found += plain_number(row[c]) + (c == 2 ? "; " : " ");
  return found + "offset " + plain_number(a.offset[0]) + " " + plain_number(a.offset[1]) + " " +
         plain_number(a.offset[2]);
}

/// The voxel axis that lies along each world axis, if each does.
std::optional<std::array<int, 3>> voxel_axes(const VoxelAffine& a) {
  std::array<int, 3> along{-1, -1, -1};
  for (int c = 0; c < 3; ++c) {
    const Vec3d axis = voxel_axis(a, c);
    const double most = kAligned * length(axis);
    for (int r = 0; r < 3; ++r)
      if (std::abs(along_axis(axis, r)) > most) {
        if (along[static_cast<std::size_t>(r)] >= 0) return std::nullopt;
        along[static_cast<std::size_t>(r)] = c;
      }
  }
  for (const int c : along)
    if (c < 0) return std::nullopt;
  return along;
}

void require_usable(const VoxelAffine& a, std::string_view name) {
  bool ok = true;
  for (int r = 0; r < 3; ++r) {
    ok = ok && std::isfinite(a.offset[r]);
    for (int c = 0; c < 3; ++c) ok = ok && std::isfinite(a.matrix[r][c]);
  }
  const Vec3d x = voxel_axis(a, 0), y = voxel_axis(a, 1), z = voxel_axis(a, 2);
  const double lengths = length(x) * length(y) * length(z), volume = std::abs(dot(cross(x, y), z));
  constexpr double kFlat = 1e-6;
  // Within what a position in mm can be: beyond, products of the lengths would not be finite.
  if (!ok || !(lengths > 0) || !std::isfinite(lengths) || !(volume > kFlat * lengths))
    throw BadInput(name, "affine", "finite axes that span a volume", affine_text(a));
  for (const auto& [one, other] : {std::pair{x, y}, {y, z}, {z, x}})
    if (std::abs(dot(one, other)) > std::numbers::sqrt2 / 2 * length(one) * length(other))
      throw BadInput(name, "affine", "axes at 45 degrees or more to each other", affine_text(a));
}

/// Voxels change places.
Volume reordered(StoredVolume stored, const std::array<int, 3>& along) {
  int size[3];
  double spacing[3], origin[3];
  std::ptrdiff_t start = 0, step[3];
  const std::ptrdiff_t stride[3] = {1, stored.size[0], std::ptrdiff_t{stored.size[0]} * stored.size[1]};
  bool in_place = true;
  for (std::size_t r = 0; r < 3; ++r) {
    const auto c = static_cast<std::size_t>(along[r]);
    const double edge = stored.affine.matrix[r][c];
    size[r] = stored.size[c];
    spacing[r] = std::abs(edge);
    step[r] = edge > 0 ? stride[c] : -stride[c];
    if (edge < 0) start += stride[c] * (stored.size[c] - 1);
    in_place = in_place && c == r && edge > 0;
    const double first_center = stored.affine.offset[r] + (edge < 0 ? edge * (size[r] - 1) : 0);
    origin[r] = first_center - 0.5 * spacing[r];
  }
  Volume volume{{size[0], size[1], size[2], {spacing[0], spacing[1], spacing[2]}, {origin[0], origin[1], origin[2]}},
                {},
                stored.frames};
  if (in_place) {
    volume.values = std::move(stored.values);
    return volume;
  }
  volume.values.resize(stored.values.size());
  auto next = volume.values.begin();
  const auto frame_size = static_cast<std::ptrdiff_t>(volume.grid.num_voxels());
  for (int f = 0; f < stored.frames; ++f)
    for (int z = 0; z < size[2]; ++z)
      for (int y = 0; y < size[1]; ++y) {
        const float* from = stored.values.data() + f * frame_size + start + z * step[2] + y * step[1];
        for (int x = 0; x < size[0]; ++x, from += step[0]) *next++ = *from;
      }
  return volume;
}

/// Inverse of an affine's matrix, by rows.
Mat3<double> inverse_matrix(const VoxelAffine& a) {
  const Vec3d x = voxel_axis(a, 0), y = voxel_axis(a, 1), z = voxel_axis(a, 2);
  const double volume = dot(cross(x, y), z);
  return {cross(y, z) / volume, cross(z, x) / volume, cross(x, y) / volume};
}

/// The smallest grid along the world's axes that holds the volume's box.
VolumeGrid surrounding_grid(const StoredVolume& stored, std::string_view name) {
  const VoxelAffine& a = stored.affine;
  double lowest[3], size[3], spacing[3];
  for (int r = 0; r < 3; ++r) {
    lowest[r] = a.offset[r];
    double extent = 0, weighted = 0, weights = 0;
    for (int c = 0; c < 3; ++c) {
      const double edge = a.matrix[r][c], side = edge * stored.size[c], long_mm = length(voxel_axis(a, c));
      lowest[r] += std::min(side, 0.0) - 0.5 * edge;
      extent += std::abs(side);
      weighted += edge * edge / long_mm;  // (edge/length)² · length
      weights += edge * edge / (long_mm * long_mm);
    }
    spacing[r] = weighted / weights;
    size[r] = std::max(1.0, std::ceil(extent / spacing[r] - kAligned));
    lowest[r] -= 0.5 * (size[r] * spacing[r] - extent);
  }
  const double stored_voxels = static_cast<double>(stored.size[0]) * stored.size[1] * stored.size[2];
  const double voxels = size[0] * size[1] * size[2];
  constexpr double kLongest = 1 << 20;
  if (!(voxels <= kMostGrowth * stored_voxels) || !(std::max({size[0], size[1], size[2]}) <= kLongest))
    throw BadInput(name, "affine", "axes that a grid along the world's can follow with at most 64 times as many voxels",
                   affine_text(a));
  return {static_cast<int>(size[0]),
          static_cast<int>(size[1]),
          static_cast<int>(size[2]),
          {spacing[0], spacing[1], spacing[2]},
          {lowest[0], lowest[1], lowest[2]}};
}

/// Value of a frame at a position in voxel indices; positions within half a voxel of the outermost centres get theirs.
float interpolated(const float* frame, const int size[3], const double at[3], float outside) {
  int low[3];
  double part[3];
  for (int c = 0; c < 3; ++c) {
    if (!(at[c] >= -0.5) || !(at[c] <= size[c] - 0.5)) return outside;
    const double inside = std::clamp(at[c], 0.0, size[c] - 1.0);
    low[c] = std::min(static_cast<int>(inside), std::max(size[c] - 2, 0));
    part[c] = inside - low[c];
  }
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::size_t index = 0, stride = 1;
    for (int c = 0; c < 3; ++c) {
      const bool upper = (corner >> c & 1) != 0;
      weight *= upper ? part[c] : 1 - part[c];
      index += stride * static_cast<std::size_t>(std::min(low[c] + (upper ? 1 : 0), size[c] - 1));
      stride *= static_cast<std::size_t>(size[c]);
    }
    sum += weight * static_cast<double>(frame[index]);
  }
  return static_cast<float>(sum);
}

Volume on_surrounding_grid(const StoredVolume& stored, std::string_view name) {
  Volume volume{surrounding_grid(stored, name), {}, stored.frames};
  const VolumeGrid& grid = volume.grid;
  const Mat3<double> to_index = inverse_matrix(stored.affine);
  const Vec3d offset{stored.affine.offset[0], stored.affine.offset[1], stored.affine.offset[2]};
  const float outside = *std::min_element(stored.values.begin(), stored.values.end());
  const std::size_t frame_size = stored.values.size() / static_cast<std::size_t>(stored.frames);
  volume.values = host_vector<float>(grid.num_voxels() * static_cast<std::size_t>(stored.frames));
  auto next = volume.values.begin();
  for (int f = 0; f < stored.frames; ++f)
    for (int z = 0; z < grid.size_z; ++z)
      for (int y = 0; y < grid.size_y; ++y)
        for (int x = 0; x < grid.size_x; ++x) {
          const Vec3d index = to_index * (grid.center_mm(x, y, z) - offset);
          const double at[3] = {index.x, index.y, index.z};
          *next++ =
              interpolated(stored.values.data() + static_cast<std::size_t>(f) * frame_size, stored.size, at, outside);
        }
  return volume;
}

}  // namespace

Volume as_axis_aligned(StoredVolume stored, std::string_view name) try {
  const std::size_t expected = num_elements(stored.size[0], stored.size[1], stored.size[2]);
  if (stored.frames < 1 || expected == 0 ||
      stored.values.size() / static_cast<std::size_t>(stored.frames) != expected ||
      stored.values.size() % expected != 0)
    throw InvalidArgument("as_axis_aligned: values: expected frames of " + std::to_string(expected) +
                          " voxels, found " + std::to_string(stored.values.size()) + " in " +
                          std::to_string(stored.frames) + " frames");
  require_usable(stored.affine, name);
  if (const auto along = voxel_axes(stored.affine)) return reordered(std::move(stored), *along);
  return on_surrounding_grid(stored, name);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
