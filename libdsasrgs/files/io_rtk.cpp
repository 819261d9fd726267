// SPDX-License-Identifier: Apache-2.0
// Geometry of the Reconstruction Toolkit: its parameters as its documentation has them (docs.openrtk.org, "Geometry").

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry_files.hpp"
#include "dsasrgs/io.hpp"
#include "files/volume_writers.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

constexpr double kDegree = std::numbers::pi / 180;

/// From the world to RTK's.
Vec3d in_rtk(Vec3d p) { return {p.x, p.z, -p.y}; }

double in_turn(double rad) {
  const double deg = std::fmod(rad / kDegree, 360);
  const double positive = deg < 0 ? deg + 360 : deg;
  return positive < 360 ? positive + 0.0 : 0;  // no −0
}

/// Angles of the rotation with these rows, Rz(−in plane) · Rx(−out of plane) · Ry(−gantry).
void set_angles(RtkProjection& p, const Mat3<double>& r) {
  constexpr double kAlongAxis = 1e-9;
  const double across = std::hypot(r.r2.x, r.r2.z);
  const double out_of_plane = std::atan2(r.r2.y, across);
  const double gantry = across > kAlongAxis ? std::atan2(-r.r2.x, r.r2.z) : 0;
  // What is left of the rotation without the gantry's is Rz · Rx, whose first column is (cos, sin, 0) of Rz.
  const Vec3d column{std::cos(gantry), 0, std::sin(gantry)};
  const double in_plane = std::atan2(dot(r.r1, column), dot(r.r0, column));
  p.gantry_deg = in_turn(-gantry);
  p.out_of_plane_deg = in_turn(-out_of_plane);
  p.in_plane_deg = in_turn(-in_plane);
}

/// The projection matrix that RTK works out from the parameters: translation · magnification · translation · rotation.
void set_matrix(RtkProjection& p, const Mat3<double>& r) {
  const double sid = p.source_to_isocenter_mm, sdd = p.source_to_detector_mm;
  const double shift_x = p.source_offset_x_mm - p.projection_offset_x_mm,
               shift_y = p.source_offset_y_mm - p.projection_offset_y_mm;
  const Vec3d x = r.r0 * -sdd + r.r2 * shift_x, y = r.r1 * -sdd + r.r2 * shift_y, z = r.r2;
  const double last[3] = {sdd * p.source_offset_x_mm - shift_x * sid, sdd * p.source_offset_y_mm - shift_y * sid, -sid};
  const Vec3d rows[3] = {x, y, z};
  for (int i = 0; i < 3; ++i) {
    p.matrix[i][0] = rows[i].x;
    p.matrix[i][1] = rows[i].y;
    p.matrix[i][2] = rows[i].z;
    p.matrix[i][3] = last[i];
  }
}

/// Whether the rows of all are flipped.
bool one_row_order(const char* function, std::span<const Pose> poses) {
  if (poses.empty()) throw InvalidArgument(std::string(function) + ": poses: expected one or more, found none");
  const bool flips = rtk_projection(poses.front()).flips_rows;
  for (std::size_t v = 0; v < poses.size(); ++v)
    if (rtk_projection(poses[v]).flips_rows != flips)
      throw InvalidArgument(std::string(function) + ": poses[" + std::to_string(v) +
                            "]: expected a detector of the same handedness as the first, found the other");
  return flips;
}

}  // namespace

RtkProjection rtk_projection(const Pose& pose) {
  const Vec3d u = pose.detector_u, v = pose.detector_v;
  constexpr double kUnit = 1e-4;
  if (!(std::abs(length(u) - 1) <= kUnit) || !(std::abs(length(v) - 1) <= kUnit) || !(std::abs(dot(u, v)) <= kUnit))
    throw InvalidArgument("rtk_projection: pose: expected unit detector axes at right angles, found lengths " +
                          plain_number(length(u)) + " and " + plain_number(length(v)) + ", product " +
                          plain_number(dot(u, v)));
  const double side = dot(cross(u, v), pose.source_mm - pose.detector_center_mm);
  if (!std::isfinite(side) || side == 0)
    throw InvalidArgument("rtk_projection: pose: expected a source off the detector's plane, found one in it");
  RtkProjection p;
  p.flips_rows = side < 0;
  // A rotation exactly, whatever the axes' last digits.
  const Vec3d x = normalized(in_rtk(u));
  const Vec3d z = normalized(cross(x, in_rtk(p.flips_rows ? -v : v)));
  const Mat3<double> rotation{x, cross(z, x), z};
  const Vec3d source = rotation * in_rtk(pose.source_mm), center = rotation * in_rtk(pose.detector_center_mm);
  p.source_to_isocenter_mm = source.z;
  p.source_to_detector_mm = source.z - center.z;
  p.source_offset_x_mm = source.x;
  p.source_offset_y_mm = source.y;
  p.projection_offset_x_mm = center.x;
  p.projection_offset_y_mm = center.y;
  set_angles(p, rotation);
  set_matrix(p, rotation);
  return p;
}

void write_rtk_geometry(const std::filesystem::path& path, std::span<const Pose> poses) try {
  one_row_order("write_rtk_geometry", poses);
  std::string text =
      "<?xml version=\"1.0\"?>\n<!-- dsasrgs -->\n<!DOCTYPE RTKGEOMETRY>\n<RTKThreeDCircularGeometry version=\"3\">\n";
  for (const Pose& pose : poses) {
    const RtkProjection p = rtk_projection(pose);
    text += "  <Projection>\n";
    for (const auto& [name, value] : {std::pair{"SourceToIsocenterDistance", p.source_to_isocenter_mm},
                                      {"SourceToDetectorDistance", p.source_to_detector_mm},
                                      {"GantryAngle", p.gantry_deg},
                                      {"OutOfPlaneAngle", p.out_of_plane_deg},
                                      {"InPlaneAngle", p.in_plane_deg},
                                      {"SourceOffsetX", p.source_offset_x_mm},
                                      {"SourceOffsetY", p.source_offset_y_mm},
                                      {"ProjectionOffsetX", p.projection_offset_x_mm},
                                      {"ProjectionOffsetY", p.projection_offset_y_mm}})
      text += std::string("    <") + name + ">" + number_text(value) + "</" + name + ">\n";
    text += "    <Matrix>\n";
    for (const auto& row : p.matrix) {
      text += "     ";
      for (const double m : row) text.append(" ").append(number_text(m));
      text += "\n";
    }
    text += "    </Matrix>\n  </Projection>\n";
  }
  write_text(path, text + "</RTKThreeDCircularGeometry>\n");
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void write_rtk_projections(const std::filesystem::path& path, const Acquisition& acquisition) try {
  const bool flips = one_row_order("write_rtk_projections", acquisition.poses);
  const Detector& d = acquisition.detector;
  const auto width = static_cast<std::ptrdiff_t>(d.width_px);
  Volume stack{{d.width_px,
                d.height_px,
                acquisition.num_views(),
                {d.pitch_u_mm, d.pitch_v_mm, 1},
                {-0.5 * d.width_px * d.pitch_u_mm, -0.5 * d.height_px * d.pitch_v_mm, -0.5}},
               {},
               1};
  stack.values.reserve(acquisition.projections.size());
  for (int v = 0; v < acquisition.num_views(); ++v) {
    const std::span<const float> image = acquisition.projection(v);
    for (std::ptrdiff_t r = 0; r < d.height_px; ++r) {
      const auto row = image.begin() + (flips ? d.height_px - 1 - r : r) * width;
      stack.values.insert(stack.values.end(), row, row + width);
    }
  }
  write_metaimage_of(path, stack, "line integrals, one view after the other", std::nullopt);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
