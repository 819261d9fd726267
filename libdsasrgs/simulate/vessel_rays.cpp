// SPDX-License-Identifier: Apache-2.0
// Line integrals through vessel capsules.
#include "simulate/vessel_rays.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "dsasrgs/buffer.hpp"
#include "simulate/vessel_tree.hpp"

namespace dsasrgs {

namespace {

constexpr int kTile = 16;  // rays along a tile's side

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void include(double v) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
};

/// Adds the tangents of the angles, seen from the source, between which a sphere lies along one detector axis: exact in
/// perspective. `across` and `ahead` are its centre's coordinates along the axis and along the normal.
void include_sphere(Range& range, double across, double ahead, double radius) {
  const double distance = std::hypot(across, ahead);
  constexpr double kEverything = std::numeric_limits<double>::infinity();
  if (ahead - radius <= 0) {  // reaches the plane of the source: no bound, unless it lies behind it
    if (ahead + radius <= 0) return;
    range.include(-kEverything);
    range.include(kEverything);
    return;
  }
  const double middle = std::atan2(across, ahead), half = std::asin(radius / distance);
  range.include(std::tan(middle - half));
  range.include(std::tan(middle + half));
}

/// Capsules that may meet the rays of each tile, ascending.
struct TileLists {
  int tiles_x = 0, tiles_y = 0;
  std::vector<std::size_t> begin;  ///< [tiles + 1]
  std::vector<int> capsules;
};

TileLists sort_into_tiles(const std::vector<VesselCapsule>& capsules, const Pose& pose, const Detector& rays) {
  const Vec3d normal = cross(pose.detector_u, pose.detector_v);
  const Vec3d to_detector = pose.detector_center_mm - pose.source_mm;
  const double ahead = dot(to_detector, normal), side = ahead > 0 ? 1 : -1;
  TileLists lists;
  lists.tiles_x = (rays.width_px + kTile - 1) / kTile;
  lists.tiles_y = (rays.height_px + kTile - 1) / kTile;

  struct Box {
    int x0, x1, y0, y1;
  };
  const auto tiles = [&](Range tangent, double center, double pitch_mm, int size_px, int num_tiles, int& first,
                         int& last) {
    const auto tile = [&](double t) {
      const double px = (t * std::abs(ahead) - center) / pitch_mm + size_px * 0.5;
      return std::clamp(std::floor(px / kTile), -1.0, static_cast<double>(num_tiles));
    };
    first = std::max(0, static_cast<int>(tile(tangent.low)));
    last = std::min(num_tiles - 1, static_cast<int>(tile(tangent.high)));
  };
  std::vector<Box> boxes(capsules.size());
  for (std::size_t i = 0; i < capsules.size(); ++i) {
    const Capsule<double>& c = capsules[i].shape;
    Range u, v;
    const auto include = [&](Vec3d center, double radius) {
      const Vec3d r = center - pose.source_mm;
      include_sphere(u, dot(r, pose.detector_u), side * dot(r, normal), radius);
      include_sphere(v, dot(r, pose.detector_v), side * dot(r, normal), radius);
    };
    include(c.a, c.radius_a);
    include(c.a + c.axis * c.length, c.radius_b);
    Box& box = boxes[i];
    box = {0, -1, 0, -1};
    if (u.low > u.high) continue;
    tiles(u, dot(to_detector, pose.detector_u), rays.pitch_u_mm, rays.width_px, lists.tiles_x, box.x0, box.x1);
    tiles(v, dot(to_detector, pose.detector_v), rays.pitch_v_mm, rays.height_px, lists.tiles_y, box.y0, box.y1);
  }
  lists.begin.assign(static_cast<std::size_t>(lists.tiles_x) * static_cast<std::size_t>(lists.tiles_y) + 1, 0);
  const auto for_each_tile = [&](const Box& box, auto&& visit) {
    for (int y = box.y0; y <= box.y1; ++y)
      for (int x = box.x0; x <= box.x1; ++x) visit(static_cast<std::size_t>(y) * lists.tiles_x + x);
  };
  for (const Box& box : boxes) for_each_tile(box, [&](std::size_t tile) { ++lists.begin[tile + 1]; });
  for (std::size_t t = 1; t < lists.begin.size(); ++t) lists.begin[t] += lists.begin[t - 1];
  lists.capsules.resize(lists.begin.back());
  std::vector<std::size_t> next(lists.begin.begin(), lists.begin.end() - 1);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for_each_tile(boxes[i], [&](std::size_t tile) { lists.capsules[next[tile]++] = static_cast<int>(i); });
  return lists;
}

}  // namespace

void require_overlap(double found, double most) {
  require(found <= most, "radius_mm", "expected vessels of which at most ", most,
          " overlap where they are looked at, found ", found);
}

std::vector<VesselCapsule> vessel_capsules(const VesselTree& tree) {
  std::vector<VesselCapsule> capsules;
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const VesselNode& b = tree.nodes[i];
    if (b.parent < 0) continue;
    const VesselNode& a = tree.nodes[b.parent];
    capsules.push_back(
        {make_capsule(a.position_mm, b.position_mm, a.radius_mm, b.radius_mm), b.parent, static_cast<int>(i)});
  }
  return capsules;
}

double union_integral(const std::vector<VesselCapsule>& capsules, const std::vector<double>& node_attenuation,
                      Vec3d origin, Vec3d direction, const std::vector<CapsuleHit>& hits) {
  const auto piece = [&](int capsule, double begin, double end) {
    const VesselCapsule& c = capsules[capsule];
    return attenuation_integral(c.shape, node_attenuation[c.node_a], node_attenuation[c.node_b], origin, direction,
                                begin, end);
  };
  if (hits.empty()) return 0;
  if (hits.size() == 1) return piece(hits[0].capsule, hits[0].inside.begin, hits[0].inside.end);
  thread_local std::vector<double> ends;
  ends.clear();
  for (const CapsuleHit& hit : hits) {
    ends.push_back(hit.inside.begin);
    ends.push_back(hit.inside.end);
  }
  std::sort(ends.begin(), ends.end());
  double sum = 0;
  for (std::size_t e = 1; e < ends.size(); ++e) {
    const double begin = ends[e - 1], end = ends[e];
    if (!(begin < end)) continue;
    const Vec3d middle = origin + direction * ((begin + end) / 2);
    int owner = -1;
    double nearest = std::numeric_limits<double>::infinity();
    for (const CapsuleHit& hit : hits) {
      if (hit.inside.begin > begin || hit.inside.end < end) continue;
      if (const double d2 = axis_distance2(capsules[hit.capsule].shape, middle); d2 < nearest) {
        nearest = d2;
        owner = hit.capsule;
      }
    }
    if (owner >= 0) sum += piece(owner, begin, end);
  }
  return sum;
}

std::vector<float> cast_vessel_rays(Context& ctx, const std::vector<VesselCapsule>& capsules,
                                    const std::vector<double>& node_attenuation, const Pose& pose,
                                    const Detector& rays) {
  std::vector<float> integrals = host_vector<float>(rays.num_pixels());
  const TileLists lists = sort_into_tiles(capsules, pose, rays);

  // A ray misses the infinite cylinder about a capsule's axis when |d·(axis × (a − source))|² > r² |d × axis|²: two dot
  // products turn most candidates away.
  struct Moment {
    Vec3d moment, axis;
    double radius2;
  };
  std::vector<Moment> moments(capsules.size());
  for (std::size_t i = 0; i < capsules.size(); ++i) {
    const Capsule<double>& c = capsules[i].shape;
    const double radius = largest_radius(c);
    moments[i] = {cross(c.axis, c.a - pose.source_mm), c.axis, radius * radius};
  }

  /// Calls with_ray(direction, hits) for the ray to the centre of pixel (x, y) of a tile.
  const auto follow_ray = [&](std::size_t tile, int x, int y, std::vector<CapsuleHit>& hits, auto&& with_ray) {
    const Vec3d to_pixel = detector_point(pose, rays, {x + 0.5, y + 0.5}) - pose.source_mm;
    const double reach = length(to_pixel);
    const Vec3d direction = to_pixel / reach;
    hits.clear();
    for (std::size_t k = lists.begin[tile]; k < lists.begin[tile + 1]; ++k) {
      const int i = lists.capsules[k];
      const Moment& m = moments[i];
      const double across = dot(direction, m.moment), along = dot(direction, m.axis);
      if (across * across > m.radius2 * (1 - along * along)) continue;
      RayInterval<double> inside = capsule_interval(capsules[i].shape, pose.source_mm, direction);
      inside = {std::max(inside.begin, 0.0), std::min(inside.end, reach)};
      if (!inside.empty()) hits.push_back({inside, i});
    }
    with_ray(direction, hits);
  };
  const std::size_t num_tiles = lists.begin.size() - 1;
  const auto corner = [&](std::size_t tile) {
    return std::pair(static_cast<int>(tile) % lists.tiles_x * kTile, static_cast<int>(tile) / lists.tiles_x * kTile);
  };
  const auto end_of = [](int begin, int size) { return std::min(begin + kTile, size); };

  std::vector<double> overlap2(num_tiles);
  parallel_for(ctx, num_tiles, [&](std::size_t tile) {
    if (lists.begin[tile] == lists.begin[tile + 1]) return;
    const auto [x0, y0] = corner(tile);
    std::vector<CapsuleHit> hits;
    follow_ray(tile, (x0 + end_of(x0, rays.width_px)) / 2, (y0 + end_of(y0, rays.height_px)) / 2, hits,
               [&](Vec3d, const auto& h) { overlap2[tile] = std::pow(static_cast<double>(h.size()), 2); });
  });
  require_overlap(std::sqrt(std::accumulate(overlap2.begin(), overlap2.end(), 0.0) / static_cast<double>(num_tiles)),
                  kMostOverlap);

  parallel_for(ctx, num_tiles, [&](std::size_t tile) {
    ctx.throw_if_stopped("simulation");
    if (lists.begin[tile] == lists.begin[tile + 1]) return;
    const auto [x0, y0] = corner(tile);
    std::vector<CapsuleHit> hits;
    for (int y = y0; y < end_of(y0, rays.height_px); ++y)
      for (int x = x0; x < end_of(x0, rays.width_px); ++x)
        follow_ray(tile, x, y, hits, [&, at = static_cast<std::size_t>(y) * rays.width_px + x](Vec3d way, auto& h) {
          integrals[at] = static_cast<float>(union_integral(capsules, node_attenuation, pose.source_mm, way, h));
        });
  });
  return integrals;
}

std::vector<float> vessel_line_integrals(Context& ctx, const VesselTree& tree, const ContrastCurves& curves,
                                         const Pose& pose, const Detector& detector, int samples_per_pixel,
                                         double time_s) try {
  constexpr const char* kOp = "vessel_line_integrals";
  check_vessel_tree(tree);
  require_size(kOp, "curves", tree.nodes.size(), curves.size());
  require_field(samples_per_pixel >= 1 && samples_per_pixel <= kMostSamples, "samples_per_pixel", "1 to 64",
                samples_per_pixel);
  require_field(std::isfinite(time_s), "time_s", "a finite time", time_s);
  require_detector(kOp, detector);
  require_pose(kOp, pose);
  const Detector rays = detector.refined(samples_per_pixel);
  return with_host_memory(vessel_bytes(tree, rays.num_pixels()), [&] {
    return cast_vessel_rays(ctx, vessel_capsules(tree), curves.attenuation(time_s), pose, rays);
  });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
