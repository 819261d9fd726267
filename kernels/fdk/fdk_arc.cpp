// SPDX-License-Identifier: Apache-2.0
#include "fdk/fdk_arc.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "common/host_vector.hpp"
#include "common/require.hpp"

namespace dsasrgs {
namespace {

constexpr const char* kOp = "fdk_reconstruct";
constexpr double kFullTurn = 2 * std::numbers::pi;

Eigen::Vector3d eigen(Vec3d v) { return {v.x, v.y, v.z}; }

/// Direction most orthogonal to the sources' differences. Detector axes count a little, so that few or nearly collinear
/// sources still have an answer, and one that agrees wherever the detector rows follow the arc.
Vec3d fit_axis(std::span<const Pose> poses, Vec3d mean, double spread_mm2) {
  constexpr double kRowWeight = 1e-3, kColumnWeight = 1e-9;
  const auto n = static_cast<double>(poses.size());
  Eigen::Matrix3d m = Eigen::Matrix3d::Zero();
  for (const Pose& pose : poses) {
    const Eigen::Vector3d d = eigen(pose.source_mm - mean), u = eigen(pose.detector_u), v = eigen(pose.detector_v);
    m +=
        d * d.transpose() / spread_mm2 + u * u.transpose() * (kRowWeight / n) - v * v.transpose() * (kColumnWeight / n);
  }
  const Eigen::Vector3d axis = Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(m).eigenvectors().col(0);
  return normalized(Vec3d{axis.x(), axis.y(), axis.z()});
}

/// Least-squares circle |p|² = 2 c·p + k through the sources in the plane; c is drawn weakly to the isocentre.
Vec3d fit_center(std::span<const Pose> poses, Vec3d mean, Vec3d axis, double spread_mm2) {
  constexpr double kIsocentreWeight = 1e-3;
  const Vec3d any = std::abs(axis.x) < 0.5 ? Vec3d{1, 0, 0} : Vec3d{0, 1, 0};
  const Vec3d a = normalized(cross(axis, any)), b = cross(axis, a);
  const auto n = static_cast<Eigen::Index>(poses.size());
  const double unit_mm = std::sqrt(spread_mm2 / static_cast<double>(n));
  Eigen::MatrixXd rows(n + 2, 3);
  Eigen::VectorXd right(n + 2);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Vec3d d = (poses[static_cast<std::size_t>(i)].source_mm - mean) / unit_mm;
    const double x = dot(d, a), y = dot(d, b);
    rows.row(i) << 2 * x, 2 * y, 1;
    right(i) = x * x + y * y;
  }
  const double weight = kIsocentreWeight * std::sqrt(static_cast<double>(n));
  rows.row(n) << weight, 0, 0;
  rows.row(n + 1) << 0, weight, 0;
  right(n) = weight * dot(-mean, a) / unit_mm;
  right(n + 1) = weight * dot(-mean, b) / unit_mm;
  const Eigen::Vector3d c = rows.colPivHouseholderQr().solve(right);
  return mean + (a * c.x() + b * c.y()) * unit_mm;
}

/// Angles from the arc's first view, and shares, by the gaps between neighbours in angle.
void share_arc(SourceArc& arc) {
  const std::size_t n = arc.views.size();
  HostVector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return arc.views[i].angle_rad < arc.views[j].angle_rad; });
  // gap[i]: from the i-th view in angle to the next one around the circle.
  HostVector<double> gap(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double next = i + 1 < n ? arc.views[order[i + 1]].angle_rad : arc.views[order[0]].angle_rad + kFullTurn;
    gap[i] = next - arc.views[order[i]].angle_rad;
  }
  const std::size_t widest = static_cast<std::size_t>(std::max_element(gap.begin(), gap.end()) - gap.begin());
  double second = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (i != widest) second = std::max(second, gap[i]);
  require(second > 1e-6, kOp, "poses: expected sources at different angles about the rotation axis, found one angle");
  arc.full_turn = gap[widest] <= 1.5 * second;
  if (!arc.full_turn) gap[widest] = 0;

  double angle = 0;
  for (std::size_t step = 0; step < n; ++step) {
    const std::size_t i = (widest + 1 + step) % n, before = (i + n - 1) % n;
    ArcView& view = arc.views[order[i]];
    view.angle_rad = angle;
    view.share_rad = 0.5 * (gap[before] + gap[i]);
    angle += gap[i];
  }
  arc.span_rad = angle;
}

}  // namespace

SourceArc fit_source_arc(std::span<const Pose> poses) {
  require(poses.size() >= 2, kOp, "poses: expected 2 views or more, found ", poses.size());
  Vec3d mean{};
  for (const Pose& pose : poses) mean += pose.source_mm / static_cast<double>(poses.size());
  double spread_mm2 = 0, size_mm2 = 0;
  for (const Pose& pose : poses) {
    spread_mm2 += dot(pose.source_mm - mean, pose.source_mm - mean);
    size_mm2 += dot(pose.source_mm, pose.source_mm);
  }
  require(std::isfinite(spread_mm2), kOp, "poses: expected finite source positions, found a non-finite one");
  require(spread_mm2 > 1e-16 * size_mm2, kOp, "poses: expected sources at different places, found all in one place");

  SourceArc arc;
  arc.axis = fit_axis(poses, mean, spread_mm2);
  arc.point_on_axis_mm = fit_center(poses, mean, arc.axis, spread_mm2);
  const Vec3d any = std::abs(arc.axis.x) < 0.5 ? Vec3d{1, 0, 0} : Vec3d{0, 1, 0};
  const Vec3d a = normalized(cross(arc.axis, any)), b = cross(arc.axis, a);
  for (std::size_t i = 0; i < poses.size(); ++i) {
    const Vec3d r = poses[i].source_mm - arc.point_on_axis_mm;
    const Vec3d radial = r - arc.axis * dot(r, arc.axis);
    ArcView view;
    view.radius_mm = length(radial);
    require(view.radius_mm > 1e-6 * std::sqrt(spread_mm2), kOp, "poses: view ", i,
            ": expected a source off the rotation axis, found one on it");
    view.toward_axis = -radial / view.radius_mm;
    view.tangent = cross(arc.axis, view.toward_axis);
    view.angle_rad = std::atan2(dot(radial, b), dot(radial, a));
    arc.views.push_back(view);
  }
  share_arc(arc);
  return arc;
}

}  // namespace dsasrgs
