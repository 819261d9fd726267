// SPDX-License-Identifier: Apache-2.0
#include "point_tree.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nanoflann.hpp>
#include <string>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "common/require.hpp"

namespace dsasrgs {

namespace {

/// Points as nanoflann reads them.
struct PointSet {
  HostVector<Vec3d> points;

  std::size_t kdtree_get_point_count() const { return points.size(); }
  double kdtree_get_pt(std::size_t i, std::size_t axis) const {
    const Vec3d& p = points[i];
    return axis == 0 ? p.x : axis == 1 ? p.y : p.z;
  }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

// Squares are added in the order x, y, z.
using Tree =
    nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, PointSet>, PointSet, 3, std::uint32_t>;

constexpr std::size_t kNeighbours = 3;

/// Indices of points by the cells of a lattice over their box, row by row: what is near in space is then near in
/// memory.
HostVector<std::uint32_t> lattice_order(const HostVector<Vec3d>& points) {
  constexpr std::uint64_t kCells = 64;  // per side
  Vec3d low = points.front(), high = low;
  for (const Vec3d& p : points) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  const Vec3d side = high - low;
  const auto cell = [](double from_low, double width) {
    return width > 0 ? static_cast<std::uint64_t>(std::min(kCells - 1.0, kCells * from_low / width)) : 0;
  };
  HostVector<std::uint64_t> keys;
  keys.reserve(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Vec3d d = points[i] - low;
    keys.push_back(((cell(d.z, side.z) * kCells + cell(d.y, side.y)) * kCells + cell(d.x, side.x)) << 32 | i);
  }
  std::sort(keys.begin(), keys.end());
  HostVector<std::uint32_t> order(keys.size());
  std::transform(keys.begin(), keys.end(), order.begin(),
                 [](std::uint64_t k) { return static_cast<std::uint32_t>(k); });
  return order;
}

}  // namespace

struct PointTree::Index {
  PointSet set;
  Tree tree;  // reads `set`

  explicit Index(std::span<const Vec3d> points)
      : set{{points.begin(), points.end()}}, tree(3, set, nanoflann::KDTreeSingleIndexAdaptorParams(kLeafSize)) {
    tree.buildIndex();
  }

  static constexpr std::size_t kLeafSize = 12;
};

// nanoflann numbers the points, and a node serves about half a leaf of them.
PointTree::PointTree(std::span<const Vec3d> points_mm)
    : index_(with_host_memory(points_mm.size() * (sizeof(std::uint32_t) + 2 * sizeof(Tree::Node) / Index::kLeafSize),
                              [&] { return std::make_unique<Index>(points_mm); })) {}
PointTree::~PointTree() = default;

std::size_t PointTree::nearest(Vec3d query_mm, std::span<double> squared_mm2) const {
  const double query[3] = {query_mm.x, query_mm.y, query_mm.z};
  std::array<std::uint32_t, kNeighbours + 1> which{};  // not asked for
  const std::size_t count = std::min(squared_mm2.size(), which.size());
  return index_->tree.knnSearch(query, count, which.data(), squared_mm2.data());
}

double PointTree::distance_mm(Vec3d query_mm) const {
  std::array<double, 1> squared{};
  nearest(query_mm, squared);
  return std::sqrt(squared[0]);
}

std::vector<float> neighbour_distances_mm2(const Context& ctx, std::span<const float> position_mm) {
  constexpr const char* kOp = "neighbour_distances";
  require(position_mm.size() % 3 == 0, kOp, "position_mm: expected 3 numbers to a point, found ", position_mm.size(),
          " in all");
  require(std::all_of(position_mm.begin(), position_mm.end(), [](float v) { return std::isfinite(v); }), kOp,
          "position_mm: expected finite positions, found NaN or infinity");
  HostVector<Vec3d> points;
  points.reserve(position_mm.size() / 3);
  for (std::size_t i = 0; i < position_mm.size(); i += 3)
    points.push_back(Vec3f{position_mm[i], position_mm[i + 1], position_mm[i + 2]}.as<double>());
  std::vector<float> mean = host_vector<float>(points.size());
  if (points.empty()) return mean;

  const HostVector<std::uint32_t> order = lattice_order(points);
  HostVector<Vec3d> sorted(points.size());
  std::transform(order.begin(), order.end(), sorted.begin(), [&](std::uint32_t i) { return points[i]; });
  const PointTree tree(sorted);
  constexpr std::size_t kBlock = 4096;  // points per task
  parallel_blocks(ctx, points.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::array<double, kNeighbours + 1> squared{};
      // The first is the point itself, or another one in the same place.
      const std::size_t others = tree.nearest(sorted[i], squared) - 1;
      double sum = 0;
      for (std::size_t k = 1; k <= others; ++k) sum += squared[k];
      mean[order[i]] = static_cast<float>(others > 0 ? sum / static_cast<double>(others) : 0);
    }
  });
  return mean;
}

}  // namespace dsasrgs
