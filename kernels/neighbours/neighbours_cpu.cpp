// A balanced k-d tree with tight boxes: exact, and indifferent to how unevenly vessels fill the volume. Points of a
// leaf are queried one after another, since they walk nearly the same path. The three smallest distances do not depend
// on how the tree was cut, so neither does the result.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/parallel.hpp"
#include "dsasrgs/math.hpp"
#include "neighbours/neighbours_bodies.hpp"

namespace dsasrgs::cpu {
namespace {

constexpr std::size_t kNeighbours = 3;
constexpr std::uint32_t kLeafSize = 12;
/// Elements per task.
constexpr std::size_t kBlock = 4096;

struct TreePoint {
  std::array<float, 3> position;
  std::uint32_t index;
};

/// Points [begin, end) in a tight box; the first child follows its parent, and `second` is the other one, 0 for a leaf.
struct TreeNode {
  std::array<float, 3> low, high;
  std::uint32_t begin, end, second;
};

class KdTree {
 public:
  explicit KdTree(View<const float> position_mm) : points_(position_mm.size() / 3) {
    for (std::size_t i = 0; i < points_.size(); ++i)
      points_[i] = {{position_mm[3 * i], position_mm[3 * i + 1], position_mm[3 * i + 2]},
                    static_cast<std::uint32_t>(i)};
    nodes_.reserve(4 * points_.size() / kLeafSize + 1);
    build(0, static_cast<std::uint32_t>(points_.size()));
  }
  /// Points in the order of the tree's leaves.
  const std::vector<TreePoint>& points() const { return points_; }

  /// Mean squared distance to the nearest other points of points()[at].
  double mean_squared_distance(std::uint32_t at) const {
    Nearest nearest;
    search(0, at, 0, nearest);
    const std::size_t found = std::min(kNeighbours, points_.size() - 1);
    double sum = 0;
    for (std::size_t k = 0; k < found; ++k) sum += nearest[k];
    return found > 0 ? sum / static_cast<double>(found) : 0;
  }

 private:
  /// Smallest squared distances so far, ascending.
  struct Nearest : std::array<double, kNeighbours> {
    Nearest() { fill(std::numeric_limits<double>::infinity()); }
    void insert(double d2) {
      if (!(d2 < back())) return;
      std::size_t k = kNeighbours - 1;
      for (; k > 0 && (*this)[k - 1] > d2; --k) (*this)[k] = (*this)[k - 1];
      (*this)[k] = d2;
    }
  };

  std::uint32_t build(std::uint32_t begin, std::uint32_t end) {
    const std::uint32_t id = static_cast<std::uint32_t>(nodes_.size());
    TreeNode node{points_[begin].position, points_[begin].position, begin, end, 0};
    for (std::uint32_t i = begin + 1; i < end; ++i)
      for (std::size_t a = 0; a < 3; ++a) {
        node.low[a] = std::min(node.low[a], points_[i].position[a]);
        node.high[a] = std::max(node.high[a], points_[i].position[a]);
      }
    nodes_.push_back(node);
    if (end - begin > kLeafSize) {
      std::size_t widest = 0;
      for (std::size_t a = 1; a < 3; ++a)
        if (node.high[a] - node.low[a] > node.high[widest] - node.low[widest]) widest = a;
      const std::uint32_t middle = begin + (end - begin) / 2;
      std::nth_element(
          points_.begin() + begin, points_.begin() + middle, points_.begin() + end,
          [widest](const TreePoint& a, const TreePoint& b) { return a.position[widest] < b.position[widest]; });
      build(begin, middle);
      const std::uint32_t second = build(middle, end);
      nodes_[id].second = second;
    }
    return id;
  }

  double squared_distance_to_box(const TreeNode& node, const std::array<float, 3>& p) const {
    double d2 = 0;
    for (std::size_t a = 0; a < 3; ++a) {
      const double x = p[a];
      const double d = std::max({static_cast<double>(node.low[a]) - x, x - static_cast<double>(node.high[a]), 0.0});
      d2 += d * d;
    }
    return d2;
  }

  /// `d2` is the squared distance from the point to the node's box.
  void search(std::uint32_t id, std::uint32_t at, double d2, Nearest& nearest) const {
    if (d2 >= nearest.back()) return;
    const TreeNode& node = nodes_[id];
    const std::array<float, 3>& p = points_[at].position;
    if (node.second == 0) {
      for (std::uint32_t i = node.begin; i < node.end; ++i) {
        if (i == at) continue;
        const std::array<float, 3>& q = points_[i].position;
        const Vec3d d{static_cast<double>(q[0]) - p[0], static_cast<double>(q[1]) - p[1],
                      static_cast<double>(q[2]) - p[2]};
        nearest.insert(dot(d, d));
      }
      return;
    }
    const std::uint32_t first = id + 1, second = node.second;
    const double d_first = squared_distance_to_box(nodes_[first], p),
                 d_second = squared_distance_to_box(nodes_[second], p);
    // The point's own side before its neighbour's, also where the boxes touch.
    const bool own_second = at >= nodes_[second].begin && at < nodes_[second].end;
    if (d_second < d_first || own_second) {
      search(second, at, d_second, nearest);
      search(first, at, d_first, nearest);
    } else {
      search(first, at, d_first, nearest);
      search(second, at, d_second, nearest);
    }
  }

  std::vector<TreePoint> points_;
  std::vector<TreeNode> nodes_;
};

}  // namespace

bool all_finite(const Context& ctx, View<const float> values) {
  std::atomic<bool> finite{true};
  parallel_blocks(ctx, values.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    if (!std::all_of(values.begin() + begin, values.begin() + end, [](float v) { return std::isfinite(v); }))
      finite = false;
  });
  return finite;
}

void neighbour_distances(const Context& ctx, View<const float> position_mm, View<float> mean_squared_distance_mm2) {
  const KdTree tree(position_mm);
  parallel_blocks(ctx, tree.points().size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      mean_squared_distance_mm2[tree.points()[i].index] =
          static_cast<float>(tree.mean_squared_distance(static_cast<std::uint32_t>(i)));
  });
}

}  // namespace dsasrgs::cpu
