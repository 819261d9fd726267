// SPDX-License-Identifier: Apache-2.0
// The built-in vessel tree. End points are spread through an ellipsoid and shared out between the inlets; every vessel
// runs towards the centre of the end points it feeds and splits them between two branches. A vessel that feeds n end
// points starts with radius twig·n^e, where e makes n = all of an inlet's end points give the inlet radius, and tapers
// (side twigs too small to draw leave it) to twig·(n₁^3e + n₂^3e)^⅓, so that Murray's law r₀³ = r₁³ + r₂³ holds exactly
// where it divides into branches that feed n₁ and n₂. A vessel with one end point tapers to the smallest radius.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>
#include <string>

#include "common/random.hpp"
#include "common/require.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/simulator.hpp"

namespace dsasrgs {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kNodeSpacing_mm = 3.2;
constexpr double kEndPointPower = 1.4;  // end points of an inlet = (inlet radius / smallest radius)^this
constexpr double kTwigPower = 0.3;      // twig radius / smallest radius = (inlet radius / smallest radius)^this
constexpr double kMostEndPointsPerInlet = 1000, kMostEndPoints = 10000;  // spreading them costs their square
constexpr double kLeastRadius_mm = 1e-3, kLongestHalfAxis_mm = 1000;     // far from any head, and quickly made
constexpr double kLargestFraction = 0.97;  // of the ellipsoid's half axes that a centreline may reach

/// Uniform numbers in (0,1) for one purpose; drawn in order.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t purpose) : seed_(seed), purpose_(purpose) {}
  double uniform(double low = 0, double high = 1) {
    const float u = random_uniform4(seed_, RandomStream::vessel_tree, purpose_, count_++).u[0];
    return low + (high - low) * static_cast<double>(u);
  }

 private:
  std::uint64_t seed_, purpose_, count_ = 0;
};

Vec3d scaled(Vec3d p, Vec3d by) { return {p.x * by.x, p.y * by.y, p.z * by.z}; }

/// Point of a unit ball, denser near the surface (as cortical vessels are) and not below the inlets.
Vec3d draw_end_point(Draws& draws) {
  for (;;) {
    const double z = draws.uniform(-1, 1), azimuth = draws.uniform(0, 2 * kPi);
    const double radius = 0.95 * std::pow(draws.uniform(), 0.27), across = std::sqrt(1 - z * z);
    const Vec3d p = Vec3d{across * std::cos(azimuth), across * std::sin(azimuth), z} * radius;
    if (p.z > -0.6) return p;
  }
}

/// `count` points of the unit ball, each the candidate farthest from those before it (best of 8), so that no region is
/// left empty.
std::vector<Vec3d> spread_points(std::uint64_t seed, std::size_t count) {
  Draws draws(seed, 0);
  std::vector<Vec3d> points;
  while (points.size() < count) {
    Vec3d best;
    double best_distance2 = -1;
    for (int candidate = 0; candidate < 8; ++candidate) {
      const Vec3d p = draw_end_point(draws);
      double distance2 = 9;
      for (const Vec3d q : points) distance2 = std::min(distance2, dot(p - q, p - q));
      if (distance2 > best_distance2) {
        best_distance2 = distance2;
        best = p;
      }
    }
    points.push_back(best);
  }
  return points;
}

Vec3d mean(const std::vector<Vec3d>& points) {
  Vec3d sum;
  for (const Vec3d p : points) sum += p;
  return sum / static_cast<double>(points.size());
}

/// Direction in which points spread most, by power iteration on their covariance.
Vec3d principal_direction(const std::vector<Vec3d>& points, Vec3d start) {
  const Vec3d center = mean(points);
  Vec3d axis = start;
  for (int i = 0; i < 12; ++i) {
    Vec3d next;
    for (const Vec3d p : points) next += (p - center) * dot(p - center, axis);
    if (!(length(next) > 1e-12)) break;
    axis = normalized(next);
  }
  return axis;
}

class TreeBuilder {
 public:
  explicit TreeBuilder(const VesselTreeOptions& options) : options_(options) {}

  void grow_inlet(int inlet, const std::vector<Vec3d>& end_points) {
    const double n = static_cast<double>(end_points.size());
    const double ratio = options_.inlet_radius_mm / options_.min_radius_mm;
    twig_radius_mm_ = options_.min_radius_mm * std::pow(ratio, kTwigPower);
    exponent_ = n > 1 ? std::log(options_.inlet_radius_mm / twig_radius_mm_) / std::log(n) : 1;
    const double azimuth = inlet_azimuth(inlet);
    const double off_axis = options_.num_inlets > 1 ? 0.3 : 0;
    const auto at = [&](double across, double z) {
      return scaled({across * std::cos(azimuth), across * std::sin(azimuth), z}, options_.ellipsoid_half_axes_mm);
    };
    tree_.nodes.push_back({at(off_axis, -0.93), options_.inlet_radius_mm, -1});
    // The feeding artery climbs, wavily as the carotid siphon does, to a quarter of the height before it divides.
    const Vec3d division = at(0.8 * off_axis, -0.47);
    grow(static_cast<int>(tree_.nodes.size()) - 1, {0, 0, 1}, end_points, options_.inlet_radius_mm, &division);
  }

  /// Middle of an inlet's sector: for three inlets two in front on the left and right and one behind.
  double inlet_azimuth(int inlet) const { return kPi / 6 + 2 * kPi * inlet / options_.num_inlets; }

  VesselTree take() { return std::move(tree_); }

 private:
  double start_radius(std::size_t num_end_points) const {
    return twig_radius_mm_ * std::pow(static_cast<double>(num_end_points), exponent_);
  }

  void grow(int from, Vec3d tangent, const std::vector<Vec3d>& end_points, double radius_mm, const Vec3d* division) {
    Draws draws(options_.seed, ++num_vessels_);
    const Vec3d start = tree_.nodes[from].position_mm;
    if (end_points.size() == 1) {
      const Vec3d heading = normalized(end_points[0] - start + tangent * 1e-9);
      draw_path(from, tangent, end_points[0], heading, radius_mm, options_.min_radius_mm, 0.13, draws);
      return;
    }
    // Split across the direction of largest spread, seldom into halves: a stem with side branches looks natural.
    const Vec3d axis = principal_direction(
        end_points, normalized(Vec3d{draws.uniform(-1, 1), draws.uniform(-1, 1), draws.uniform(-1, 1)}));
    std::vector<Vec3d> sorted = end_points;
    std::stable_sort(sorted.begin(), sorted.end(), [&](Vec3d p, Vec3d q) { return dot(p, axis) < dot(q, axis); });
    const double share = draws.uniform(division ? 0.35 : 0.15, 0.5);
    const auto smaller =
        std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(sorted.size()))));
    const std::size_t cut = draws.uniform() < 0.5 ? smaller : sorted.size() - smaller;
    const std::vector<Vec3d> parts[2] = {{sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(cut)},
                                         {sorted.begin() + static_cast<std::ptrdiff_t>(cut), sorted.end()}};
    const double radii[2] = {start_radius(parts[0].size()), start_radius(parts[1].size())};
    const double end_radius = std::cbrt(radii[0] * radii[0] * radii[0] + radii[1] * radii[1] * radii[1]);
    const Vec3d centers[2] = {mean(parts[0]), mean(parts[1])};

    // Divide where three strings pulled with the vessels' radii would balance, roughly.
    Vec3d end = (start * radius_mm + centers[0] * radii[0] + centers[1] * radii[1]) / (radius_mm + radii[0] + radii[1]);
    const double distance = length(end - start);
    end += Vec3d{draws.uniform(-1, 1), draws.uniform(-1, 1), draws.uniform(-1, 1)} * (0.12 * distance);
    if (distance < 3 * radius_mm) end = start + normalized(end - start + tangent * distance) * (3 * radius_mm);
    if (division != nullptr) end = *division;
    const Vec3d ahead = centers[radii[0] > radii[1] ? 0 : 1] - end;
    const Vec3d heading = normalized(normalized(end - start) + normalized(ahead) * 0.6);
    const int node = draw_path(from, tangent, end, heading, radius_mm, end_radius, division ? 0.1 : 0.11, draws);
    for (int i = 0; i < 2; ++i) {
      const Vec3d to_center = normalized(centers[i] - tree_.nodes[node].position_mm);
      const double follow = 0.75 * radii[i] / end_radius;  // the wider branch goes on, the narrower turns off
      grow(node, normalized(heading * follow + to_center * (1 - follow)), parts[i], radii[i], nullptr);
    }
  }

  /// Adds the nodes of a vessel from an existing node to `end` along a cubic with the given end directions and a wave
  /// that dies out at both ends; returns the last node. The first node leaves the parent's wall with `start_radius`.
  int draw_path(int from, Vec3d tangent, Vec3d end, Vec3d heading, double start_radius, double end_radius,
                double waviness, Draws& draws) {
    const Vec3d start = tree_.nodes[from].position_mm;
    const double chord = length(end - start);
    const Vec3d along = chord > 0 ? (end - start) / chord : tangent;
    const Vec3d side = normalized(cross(along, std::abs(along.z) < 0.8 ? Vec3d{0, 0, 1} : Vec3d{1, 0, 0}));
    const Vec3d up = cross(along, side);
    const double waves = std::max(0.7, chord / 24) * draws.uniform(0.8, 1.2);
    const double amplitude = waviness * std::min(chord, 60.0);
    const double sides[2] = {amplitude * draws.uniform(0.5, 1), amplitude * draws.uniform(0.3, 1)};
    const double phases[2] = {draws.uniform(0, 2 * kPi), draws.uniform(0, 2 * kPi)};
    const auto point = [&](double f) {
      const double f2 = f * f, f3 = f2 * f, envelope = 0.5 - 0.5 * std::cos(2 * kPi * f);
      return start * (2 * f3 - 3 * f2 + 1) + tangent * (chord * (f3 - 2 * f2 + f)) + end * (3 * f2 - 2 * f3) +
             heading * (chord * (f3 - f2)) + side * (envelope * sides[0] * std::sin(2 * kPi * waves * f + phases[0])) +
             up * (envelope * sides[1] * std::sin(2 * kPi * 0.6 * waves * f + phases[1]));
    };
    const double wall = chord > 0 ? std::min(0.4, 1.1 * tree_.nodes[from].radius_mm / chord) : 0.4;
    const int steps = std::max(2, static_cast<int>(std::lround(chord * (1 - wall) / kNodeSpacing_mm)));
    int node = from;
    for (int i = 0; i <= steps; ++i) {
      const double f = static_cast<double>(i) / steps;
      tree_.nodes.push_back(
          {inside(point(wall + (1 - wall) * f)), start_radius + (end_radius - start_radius) * f, node});
      node = static_cast<int>(tree_.nodes.size()) - 1;
    }
    return node;
  }

  /// p, pulled back towards the centre where it would leave the ellipsoid.
  Vec3d inside(Vec3d p) const {
    const Vec3d half = options_.ellipsoid_half_axes_mm;
    const double fraction = length(Vec3d{p.x / half.x, p.y / half.y, p.z / half.z});
    return fraction > kLargestFraction ? p * (kLargestFraction / fraction) : p;
  }

  VesselTreeOptions options_;
  VesselTree tree_;
  double twig_radius_mm_ = 0;  ///< where a vessel with one end point begins
  double exponent_ = 1;        ///< e
  std::uint64_t num_vessels_ = 0;
};

void check(const VesselTreeOptions& o) {
  const auto check_one = [](bool ok, const char* field, const char* expected, double found) {
    require_field(ok && std::isfinite(found), field, expected, found);
  };
  const Vec3d half = o.ellipsoid_half_axes_mm;
  const double shortest = std::min({half.x, half.y, half.z});
  check_one(o.num_inlets >= 1 && o.num_inlets <= 100, "num_inlets", "1 to 100", o.num_inlets);
  check_one(o.min_radius_mm >= kLeastRadius_mm, "min_radius_mm", "1e-3 mm or more", o.min_radius_mm);
  check_one(o.inlet_radius_mm >= o.min_radius_mm, "inlet_radius_mm", "at least min_radius_mm", o.inlet_radius_mm);
  for (const double mm : {half.x, half.y, half.z})
    check_one(mm > 0 && mm <= kLongestHalfAxis_mm, "ellipsoid_half_axes_mm", "more than 0 and at most 1000 mm", mm);
  check_one(o.inlet_radius_mm <= shortest, "inlet_radius_mm", "at most the shortest half axis of the ellipsoid",
            o.inlet_radius_mm);
}

}  // namespace

VesselTree generate_vessel_tree(const VesselTreeOptions& options) try {
  check(options);
  // e = (1 − kTwigPower) / kEndPointPower = ½ or more lies above Murray's ⅓, so stems taper.
  const double wanted = std::pow(options.inlet_radius_mm / options.min_radius_mm, kEndPointPower);
  const double most = std::min(kMostEndPointsPerInlet, kMostEndPoints / options.num_inlets);
  const auto per_inlet = static_cast<std::size_t>(std::min(wanted, most));
  const auto num_inlets = static_cast<std::size_t>(options.num_inlets);

  TreeBuilder builder(options);
  const std::vector<Vec3d> points = spread_points(options.seed, per_inlet * num_inlets);
  std::vector<double> azimuth(points.size());
  const double first = builder.inlet_azimuth(0) - kPi / options.num_inlets;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double a = std::atan2(points[i].y, points[i].x) - first;
    azimuth[i] = a - 2 * kPi * std::floor(a / (2 * kPi));
  }
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) { return azimuth[i] < azimuth[k]; });
  for (std::size_t inlet = 0; inlet < num_inlets; ++inlet) {
    std::vector<Vec3d> territory;
    for (std::size_t i = inlet * per_inlet; i < (inlet + 1) * per_inlet; ++i)
      territory.push_back(scaled(points[order[i]], options.ellipsoid_half_axes_mm));
    builder.grow_inlet(static_cast<int>(inlet), territory);
  }
  return builder.take();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
