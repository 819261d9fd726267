#include "point_tree.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nanoflann.hpp>
#include <string>
#include <utility>

#include "common/parallel.hpp"
#include "common/require.hpp"

namespace dsasrgs {

namespace {

/// Points as nanoflann reads them.
struct PointSet {
  std::vector<Vec3d> points;

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

}  // namespace

struct PointTree::Index {
  PointSet set;
  Tree tree;  // reads `set`

  explicit Index(std::vector<Vec3d> points)
      : set{std::move(points)}, tree(3, set, nanoflann::KDTreeSingleIndexAdaptorParams(kLeafSize)) {
    tree.buildIndex();
  }

  static constexpr std::size_t kLeafSize = 12;
};

PointTree::PointTree(std::vector<Vec3d> points_mm) : index_(std::make_unique<Index>(std::move(points_mm))) {}
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
  require(position_mm.size() % 3 == 0, kOp,
          "position_mm: expected 3 numbers to a point, found " + std::to_string(position_mm.size()) + " in all");
  require(std::all_of(position_mm.begin(), position_mm.end(), [](float v) { return std::isfinite(v); }), kOp,
          "position_mm: expected finite positions, found NaN or infinity");
  std::vector<Vec3d> points;
  points.reserve(position_mm.size() / 3);
  for (std::size_t i = 0; i < position_mm.size(); i += 3)
    points.push_back(Vec3f{position_mm[i], position_mm[i + 1], position_mm[i + 2]}.as<double>());
  std::vector<float> mean(points.size());
  if (points.empty()) return mean;

  const PointTree tree(points);
  constexpr std::size_t kBlock = 4096;  // points per task
  parallel_blocks(ctx, points.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::array<double, kNeighbours + 1> squared{};
      // The first is the point itself, or another one in the same place.
      const std::size_t others = tree.nearest(points[i], squared) - 1;
      double sum = 0;
      for (std::size_t k = 1; k <= others; ++k) sum += squared[k];
      mean[i] = static_cast<float>(others > 0 ? sum / static_cast<double>(others) : 0);
    }
  });
  return mean;
}

}  // namespace dsasrgs
