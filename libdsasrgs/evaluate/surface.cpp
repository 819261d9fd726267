// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/surface.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "evaluate/marching_cubes.hpp"
#include "require_finite.hpp"

namespace dsasrgs {

namespace {

// Of a cube, corner c is at (c & 1, c >> 1 & 1, c >> 2 & 1). Edge 4·axis + b lies along its axis; the corner it starts
// from has the bits of b along the other two axes, the lower axis first.
constexpr int kCorners = 8, kEdges = 12;

int edge_start(int edge) {
  const int axis = edge / 4, b = edge % 4;
  const int first = axis == 0 ? 1 : 0, second = axis == 2 ? 1 : 2;
  return (b & 1) << first | (b >> 1) << second;
}

int edge_between(int corner, int other) {
  const int start = std::min(corner, other);
  for (int edge = 0; edge < kEdges; ++edge)
    if (edge_start(edge) == start && (start | 1 << edge / 4) == std::max(corner, other)) return edge;
  return -1;  // no two corners of a face's outline
}

/// Corners of the cube's faces, anticlockwise seen from outside.
using Face = std::array<int, 4>;
constexpr std::array<Face, 6> kFaces{
    {{0, 4, 6, 2}, {1, 3, 7, 5}, {0, 1, 5, 4}, {2, 6, 7, 3}, {0, 2, 3, 1}, {4, 5, 7, 6}}};

bool on_one_face(int edge, int other) {
  return std::any_of(kFaces.begin(), kFaces.end(), [&](const Face& face) {
    int found = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const int e = edge_between(face[i], face[(i + 1) % 4]);
      found += static_cast<int>(e == edge) + static_cast<int>(e == other);
    }
    return found == 2;
  });
}

using EdgeTriangle = std::array<std::uint8_t, 3>;

/// Triangles of one loop of crossed edges: a fan about the edge whose diagonals keep out of the cube's faces best,
/// where a neighbour's could lie.
void append_fan(const std::vector<int>& loop, std::vector<EdgeTriangle>& triangles) {
  const std::size_t n = loop.size();
  std::size_t best = 0;
  int fewest = kEdges;
  for (std::size_t start = 0; start < n; ++start) {
    int in_faces = 0;
    for (std::size_t i = 2; i + 1 < n; ++i)
      in_faces += static_cast<int>(on_one_face(loop[start], loop[(start + i) % n]));
    if (in_faces < fewest) {
      fewest = in_faces;
      best = start;
    }
  }
  for (std::size_t i = 1; i + 1 < n; ++i)
    triangles.push_back({static_cast<std::uint8_t>(loop[best]), static_cast<std::uint8_t>(loop[(best + i) % n]),
                         static_cast<std::uint8_t>(loop[(best + i + 1) % n])});
}

/// The triangles of a cube of which the corners of the set bits are above the threshold. On each face the surface runs
/// from where the outline comes in to where it goes out next; what comes in on one face goes out on the next, so that
/// these pieces make loops.
std::vector<EdgeTriangle> triangles_of(int above) {
  const auto inside = [&](int corner) { return (above >> corner & 1) != 0; };
  std::array<int, kEdges> next;
  next.fill(-1);
  for (const Face& face : kFaces)
    for (std::size_t i = 0; i < 4; ++i) {
      if (inside(face[i]) || !inside(face[(i + 1) % 4])) continue;
      std::size_t out = i + 1;
      while (inside(face[(out + 1) % 4])) ++out;
      next[static_cast<std::size_t>(edge_between(face[i], face[(i + 1) % 4]))] =
          edge_between(face[out % 4], face[(out + 1) % 4]);
    }
  std::vector<EdgeTriangle> triangles;
  for (std::size_t edge = 0; edge < kEdges; ++edge) {
    std::vector<int> loop;
    for (std::size_t at = edge; next[at] >= 0;) {
      loop.push_back(static_cast<int>(at));
      at = static_cast<std::size_t>(std::exchange(next[at], -1));
    }
    if (!loop.empty()) append_fan(loop, triangles);
  }
  return triangles;
}

using TriangleTable = std::array<std::vector<EdgeTriangle>, 1 << kCorners>;

const TriangleTable& triangle_table() {
  static const TriangleTable table = [] {
    TriangleTable made;
    for (std::size_t above = 0; above < made.size(); ++above) made[above] = triangles_of(static_cast<int>(above));
    return made;
  }();
  return table;
}

/// Vertices on the edges that lead from the voxels of one slice: [axis][voxel].
using SliceVertices = std::array<std::vector<std::uint32_t>, 3>;

class Builder {
 public:
  Builder(const Volume& volume, double threshold) : volume_(volume), threshold_(threshold) {
    const VolumeGrid& g = volume.grid;
    slice_ = static_cast<std::size_t>(g.size_x) * static_cast<std::size_t>(g.size_y);
    for (SliceVertices* vertices : {&lower_, &upper_})
      for (auto& axis : *vertices) axis.resize(slice_);
  }

  Surface run() {
    place_vertices(0, upper_);
    for (int k = 0; k + 1 < volume_.grid.size_z; ++k) {
      std::swap(lower_, upper_);
      place_vertices(k + 1, upper_);
      place_triangles(k);
    }
    return std::move(surface_);
  }

 private:
  void place_vertices(int k, SliceVertices& vertices) {
    for_each_crossing(volume_.values, volume_.grid, threshold_, k, [&](int axis, std::size_t voxel, Vec3d position) {
      require_room(surface_.vertices_mm.size());
      vertices[static_cast<std::size_t>(axis)][voxel] = static_cast<std::uint32_t>(surface_.vertices_mm.size());
      surface_.vertices_mm.push_back(position.as<float>());
    });
  }

  void place_triangles(int k) {
    const TriangleTable& table = triangle_table();
    const auto width = static_cast<std::size_t>(volume_.grid.size_x);
    const float* lower = volume_.values.data() + slice_ * static_cast<std::size_t>(k);
    const std::size_t step[kCorners] = {0, 1, width, width + 1, slice_, slice_ + 1, slice_ + width, slice_ + width + 1};
    for (int j = 0; j + 1 < volume_.grid.size_y; ++j)
      for (int i = 0; i + 1 < volume_.grid.size_x; ++i) {
        const std::size_t voxel = static_cast<std::size_t>(j) * width + static_cast<std::size_t>(i);
        std::size_t above = 0;
        for (std::size_t c = 0; c < kCorners; ++c)
          above |= static_cast<std::size_t>(static_cast<double>(lower[voxel + step[c]]) > threshold_) << c;
        for (const EdgeTriangle& t : table[above]) {
          require_room(surface_.triangles.size());
          surface_.triangles.push_back({vertex(voxel, t[0]), vertex(voxel, t[1]), vertex(voxel, t[2])});
        }
      }
  }

  std::uint32_t vertex(std::size_t voxel, int edge) const {
    const int start = edge_start(edge);
    const auto width = static_cast<std::size_t>(volume_.grid.size_x);
    const SliceVertices& slice = (start & 4) != 0 ? upper_ : lower_;
    return slice[static_cast<std::size_t>(edge / 4)][voxel + (start & 1) + ((start & 2) != 0 ? width : 0)];
  }

  static void require_room(std::size_t count) {
    if (count >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
      throw InvalidArgument("extract_surface: volume: expected a surface of fewer than 2^31 triangles, found more");
  }

  const Volume& volume_;
  double threshold_;
  std::size_t slice_ = 0;
  SliceVertices lower_, upper_;
  Surface surface_;
};

}  // namespace

Surface extract_surface(const Volume& volume, double threshold) try {
  if (volume.frames != 1)
    throw InvalidArgument("extract_surface: volume: expected one frame, found " + std::to_string(volume.frames));
  require_grid("extract_surface", volume.grid);  // also an empty one, with which an empty volume would agree
  if (volume.values.size() != volume.grid.num_voxels())
    throw InvalidArgument("extract_surface: volume.values: expected " + std::to_string(volume.grid.num_voxels()) +
                          " voxels, found " + std::to_string(volume.values.size()));
  if (!std::isfinite(threshold))
    throw InvalidArgument("extract_surface: threshold: expected a finite number, found " + plain_number(threshold));
  require_finite_voxels("extract_surface", "volume", volume.values, volume.grid);
  return Builder(volume, threshold).run();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
