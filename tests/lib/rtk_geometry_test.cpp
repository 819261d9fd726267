// SPDX-License-Identifier: Apache-2.0
// RTK's parameters: its formula of the projection, worked out from the angles and distances, sees what our poses see.

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry_files.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

using Matrix = std::array<std::array<double, 4>, 4>;

Matrix identity() {
  Matrix m{};
  for (std::size_t i = 0; i < 4; ++i) m[i][i] = 1;
  return m;
}
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 4; ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}
/// A turn about an axis, as every textbook has it.
Matrix turn(std::size_t axis, double deg) {
  const double c = std::cos(deg * std::numbers::pi / 180), s = std::sin(deg * std::numbers::pi / 180);
  const std::size_t a = (axis + 1) % 3, b = (axis + 2) % 3;
  Matrix m = identity();
  m[a][a] = m[b][b] = c;
  m[a][b] = -s;
  m[b][a] = s;
  return m;
}

/// rtk::ThreeDCircularProjectionGeometry::AddProjection as its documentation has it, as a product of its four matrices;
/// the last row is not used.
Matrix rtk_matrix(const RtkProjection& p) {
  Matrix to_detector = identity(), magnify{}, from_source = identity();
  to_detector[0][2] = p.source_offset_x_mm - p.projection_offset_x_mm;
  to_detector[1][2] = p.source_offset_y_mm - p.projection_offset_y_mm;
  magnify[0][0] = magnify[1][1] = -p.source_to_detector_mm;
  magnify[2][2] = 1;
  magnify[2][3] = -p.source_to_isocenter_mm;
  from_source[0][3] = -p.source_offset_x_mm;
  from_source[1][3] = -p.source_offset_y_mm;
  const Matrix rotation =
      product(turn(2, -p.in_plane_deg), product(turn(0, -p.out_of_plane_deg), turn(1, -p.gantry_deg)));
  return product(to_detector, product(magnify, product(from_source, rotation)));
}

void require_same_sight(const Pose& pose) {
  const RtkProjection p = rtk_projection(pose);
  const Matrix m = rtk_matrix(p);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) REQUIRE(p.matrix[i][j] == Approx(m[i][j]).margin(1e-7));
  for (const double angle : {p.gantry_deg, p.out_of_plane_deg, p.in_plane_deg}) REQUIRE((angle >= 0 && angle < 360));
  const Detector detector{100, 80, 1.5, 2.5};
  for (const Vec3d point : {Vec3d{0, 0, 0}, Vec3d{30, -20, 45}, Vec3d{-60, 10, -5}}) {
    const double world[4] = {point.x, point.z, -point.y, 1};  // RTK's patient: y is ours of the head, z the front
    double seen[3] = {};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 4; ++j) seen[i] += m[i][j] * world[j];
    const Vec2d ours = project_point(pose, detector, point);
    REQUIRE(seen[0] / seen[2] == Approx((ours.x - 50) * 1.5).margin(1e-7));
    REQUIRE(seen[1] / seen[2] == Approx((p.flips_rows ? -1 : 1) * (ours.y - 40) * 2.5).margin(1e-7));
  }
}

}  // namespace

TEST_CASE("rtk_projection: sees what the pose sees", "[io][rtk]") {
  for (const double primary : {0.0, 0.7, std::numbers::pi / 2, 3.0, -2.2})
    for (const double secondary : {0.0, 0.4, -0.9, std::numbers::pi / 2, -std::numbers::pi / 2})
      require_same_sight(carm_pose({750, 1200, primary, secondary, 12, -7}, 0));
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 200; ++i) {  // calibrated poses, of either handedness
    Pose p;
    const auto draw = [&] { return Vec3d{normal(random), normal(random), normal(random)}; };
    p.detector_u = normalized(draw());
    p.detector_v = normalized(cross(p.detector_u, draw()));
    p.detector_center_mm = draw() * 50;
    p.source_mm =
        p.detector_center_mm + cross(p.detector_u, p.detector_v) * (normal(random) < 0 ? -900.0 : 900.0) + draw() * 30;
    require_same_sight(p);
  }
}

TEST_CASE("rtk_projection: a C-arm turns the gantry", "[io][rtk]") {
  const RtkProjection front = rtk_projection(carm_pose({750, 1200, -std::numbers::pi / 2, 0, 0, 0}, 0));
  CHECK(front.gantry_deg == Approx(0).margin(1e-9));  // the source in front of the patient: at RTK's +z
  CHECK(front.source_to_isocenter_mm == Approx(750));
  CHECK(front.source_to_detector_mm == Approx(1200));
  CHECK(front.flips_rows);
  const RtkProjection left = rtk_projection(carm_pose({750, 1200, 0, 0, 0, 0}, 0));
  CHECK(left.gantry_deg == Approx(90));
  CHECK(left.out_of_plane_deg == Approx(0).margin(1e-9));
}

TEST_CASE("write_rtk_geometry: the file", "[io][rtk]") {
  const TemporaryFolder folder;
  const Pose pose = carm_pose({750, 1200, -std::numbers::pi / 2, 0, 12, 0}, 0);
  write_rtk_geometry(folder / "g.xml", std::array{pose, pose});
  const std::string text = test::read_bytes(folder / "g.xml");
  CHECK(
      text.starts_with("<?xml version=\"1.0\"?>\n<!-- dsasrgs -->\n<!DOCTYPE RTKGEOMETRY>\n<RTKThreeDCircularGeometry "
                       "version=\"3\">\n"));
  CHECK(text.find("<SourceToIsocenterDistance>750.0</SourceToIsocenterDistance>") != std::string::npos);
  CHECK(text.ends_with("</RTKThreeDCircularGeometry>\n"));
  require_error<InvalidArgument>([&] { write_rtk_geometry(folder / "n.xml", {}); }, {"poses", "found none"});
  Pose mirrored = pose;
  mirrored.detector_v = -mirrored.detector_v;
  require_error<InvalidArgument>(
      [&] {
        write_rtk_geometry(folder / "n.xml", std::array{pose, mirrored});
      },
      {"poses[1]", "handedness"});
  mirrored.detector_v = mirrored.detector_u;
  require_error<InvalidArgument>([&] { rtk_projection(mirrored); }, {"right angles", "product 1"});
  mirrored = pose;
  mirrored.source_mm = mirrored.detector_center_mm;
  require_error<InvalidArgument>([&] { rtk_projection(mirrored); }, {"off the detector's plane"});
  CHECK(folder.num_files() == 1);
}

TEST_CASE("write_rtk_projections: rows in RTK's order", "[io][rtk]") {
  const TemporaryFolder folder;
  Acquisition a = test::small_acquisition();
  for (std::size_t i = 0; i < a.projections.size(); ++i) a.projections[i] = static_cast<float>(i);
  const bool flips = rtk_projection(a.poses.front()).flips_rows;
  write_rtk_projections(folder / "p.mha", a);
  const std::string bytes = test::read_bytes(folder / "p.mha");
  const std::size_t size = a.projections.size() * sizeof(float);
  REQUIRE(bytes.size() > size);
  const char* const values = bytes.data() + bytes.size() - size;
  const std::size_t width = static_cast<std::size_t>(a.detector.width_px),
                    height = static_cast<std::size_t>(a.detector.height_px);
  for (std::size_t i = 0; i < a.projections.size(); ++i) {
    float value;
    std::memcpy(&value, values + 4 * i, sizeof value);
    const std::size_t view = i / (width * height), row = i / width % height, column = i % width;
    const std::size_t ours = flips ? height - 1 - row : row;
    REQUIRE(value == static_cast<float>((view * height + ours) * width + column));
  }
  const auto half = [](int pixels, double pitch) { return -0.5 * (pixels - 1) * pitch; };
  std::string header = bytes.substr(0, bytes.size() - size);
  const std::size_t at = header.find("Offset = ");
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(header.substr(at + 9)) == Approx(half(a.detector.width_px, a.detector.pitch_u_mm)));
}
