// SPDX-License-Identifier: Apache-2.0
// extract_surface against closed forms and by its topology; write_surface byte by byte.

#include "dsasrgs/surface.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <numbers>
#include <random>
#include <sstream>
#include <string>

#include "dsasrgs/error.hpp"
#include "evaluate/marching_cubes.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

/// Radius minus distance from a point.
Volume ball(const VolumeGrid& grid, Vec3d center, double radius) {
  Volume v{grid, {}, 1};
  for (int k = 0; k < grid.size_z; ++k)
    for (int j = 0; j < grid.size_y; ++j)
      for (int i = 0; i < grid.size_x; ++i)
        v.values.push_back(static_cast<float>(radius - length(grid.center_mm(i, j, k) - center)));
  return v;
}

/// Enclosed volume [mm³], positive where triangles are anticlockwise from outside.
double enclosed_mm3(const Surface& s) {
  double sum = 0;
  for (const auto& t : s.triangles) {
    const Vec3d a = s.vertices_mm[t[0]].as<double>(), b = s.vertices_mm[t[1]].as<double>(),
                c = s.vertices_mm[t[2]].as<double>();
    sum += dot(a, cross(b, c)) / 6;
  }
  return sum;
}
double area_mm2(const Surface& s) {
  double sum = 0;
  for (const auto& t : s.triangles) {
    const Vec3d a = s.vertices_mm[t[0]].as<double>(), b = s.vertices_mm[t[1]].as<double>(),
                c = s.vertices_mm[t[2]].as<double>();
    sum += length(cross(b - a, c - a)) / 2;
  }
  return sum;
}

/// Each edge must be walked as often one way as the other.
bool is_closed(const Surface& s) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> walks;
  for (const auto& t : s.triangles)
    for (std::size_t i = 0; i < 3; ++i) {
      const std::uint32_t a = t[i], b = t[(i + 1) % 3];
      walks[std::minmax(a, b)] += a < b ? 1 : -1;
    }
  return std::all_of(walks.begin(), walks.end(), [](const auto& w) { return w.second == 0; });
}

Surface tetrahedron() {
  return {{{0, 0, 0}, {1, 0, 0}, {0, 2, 0}, {0, 0, 3}}, {{0, 2, 1}, {0, 1, 3}, {0, 3, 2}, {1, 2, 3}}};
}

template <class T>
T number_at(const std::string& bytes, std::size_t offset) {
  T value;
  REQUIRE(offset + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("extract_surface: a ball's volume, area and place", "[surface]") {
  const VolumeGrid grid{60, 50, 40, {0.5, 0.6, 0.75}, {-20, 5, -11}};
  const Vec3d center{-5.3, 19.7, 4.1};
  const double radius = 9;
  const Surface s = extract_surface(ball(grid, center, radius), 0);
  CHECK(is_closed(s));
  for (const Vec3f v : s.vertices_mm) REQUIRE(length(v.as<double>() - center) == Approx(radius).margin(0.02));
  CHECK(enclosed_mm3(s) == Approx(4.0 / 3 * std::numbers::pi * std::pow(radius, 3)).epsilon(0.005));
  CHECK(area_mm2(s) == Approx(4 * std::numbers::pi * radius * radius).epsilon(0.005));
  const std::size_t edges = 3 * s.triangles.size() / 2;  // Euler: a sphere
  CHECK(s.vertices_mm.size() + s.triangles.size() == edges + 2);
}

TEST_CASE("extract_surface: closed whatever the corners are", "[surface]") {
  std::mt19937 random(3);
  constexpr int kSide = 9;
  for (int repeat = 0; repeat < 20; ++repeat) {
    Volume v{{kSide, kSide, kSide, {1, 1, 1}, {}}, std::vector<float>(kSide * kSide * kSide, 0.0f), 1};
    for (int k = 1; k + 1 < kSide; ++k)
      for (int j = 1; j + 1 < kSide; ++j)
        for (int i = 1; i + 1 < kSide; ++i)
          v.values[static_cast<std::size_t>((k * kSide + j) * kSide + i)] = random() % 2 == 0 ? 0.0f : 1.0f;
    const Surface s = extract_surface(v, 0.5);
    REQUIRE(is_closed(s));
    REQUIRE(enclosed_mm3(s) > 0);
    const std::vector<Vec3d> vertices = isosurface_vertices(v.values, v.grid, 0.5);
    REQUIRE(vertices.size() == s.vertices_mm.size());
    for (std::size_t i = 0; i < vertices.size(); ++i) REQUIRE(vertices[i].as<float>() == s.vertices_mm[i]);
  }
}

TEST_CASE("extract_surface: corners that are opposite on a face are apart", "[surface]") {
  Volume v{{4, 4, 3, {1, 1, 1}, {}}, std::vector<float>(48, 0.0f), 1};
  v.values[16 + 4 + 1] = v.values[16 + 8 + 2] = 1;  // (1,1,1) and (2,2,1)
  const Surface s = extract_surface(v, 0.5);
  CHECK(s.triangles.size() == 16);  // two octahedra
  CHECK(enclosed_mm3(s) == Approx(2 * 4.0 / 3 * std::pow(0.5, 3)));
}

TEST_CASE("extract_surface: what it does not take", "[surface]") {
  Volume v{{2, 2, 2, {1, 1, 1}, {}}, std::vector<float>(8, 1.0f), 1};
  CHECK(extract_surface(v, 2) == Surface{});
  require_error<InvalidArgument>([&] { extract_surface(v, NAN); }, {"threshold", "nan"});
  require_error<InvalidArgument>([] { extract_surface(Volume{}, 1); },
                                 {"extract_surface: ", "voxel", "found 0 x 0 x 0"});
  v.values[3] = INFINITY;
  require_error<InvalidArgument>([&] { extract_surface(v, 2); }, {"voxel (x 1, y 1, z 0)", "inf"});
  v.values.pop_back();
  require_error<InvalidArgument>([&] { extract_surface(v, 2); }, {"8 voxels, found 7"});
  v.frames = 2;
  require_error<InvalidArgument>([&] { extract_surface(v, 2); }, {"one frame, found 2"});
}

TEST_CASE("write_surface: STL", "[surface][io]") {
  const TemporaryFolder folder;
  write_surface(folder / "s.stl", tetrahedron());
  const std::string bytes = test::read_bytes(folder / "s.stl");
  REQUIRE(bytes.size() == 84 + 4 * 50);
  CHECK(bytes.substr(0, 80).find("SPACE=LPS") != std::string::npos);
  CHECK(bytes.substr(0, 5) != "solid");
  CHECK(number_at<std::uint32_t>(bytes, 80) == 4);
  const float first[12] = {0, 0, -1, 0, 0, 0, 0, 2, 0, 1, 0, 0};  // normal and corners
  for (std::size_t i = 0; i < 12; ++i) CHECK(number_at<float>(bytes, 84 + 4 * i) == first[i]);
  CHECK(number_at<float>(bytes, 84 + 3 * 50) == Approx(6.0 / 7));
}

TEST_CASE("write_surface: PLY and OBJ", "[surface][io]") {
  const TemporaryFolder folder;
  write_surface(folder / "s.ply", tetrahedron());
  const std::string ply = test::read_bytes(folder / "s.ply");
  const std::string header =
      "ply\nformat binary_little_endian 1.0\ncomment dsasrgs, mm\ncomment SPACE=LPS\nelement vertex 4\nproperty float "
      "x\nproperty float y\nproperty float z\nelement face 4\nproperty list uchar int vertex_indices\nend_header\n";
  REQUIRE(ply.substr(0, header.size()) == header);
  REQUIRE(ply.size() == header.size() + 4 * 12 + 4 * 13);
  CHECK(number_at<float>(ply, header.size() + 3 * 12 + 8) == 3);
  CHECK(ply[header.size() + 48] == 3);
  CHECK(number_at<std::int32_t>(ply, header.size() + 48 + 13 + 1 + 8) == 3);
  write_surface(folder / "s.obj", tetrahedron());
  CHECK(test::read_bytes(folder / "s.obj") ==
        "# dsasrgs, mm\n# SPACE=LPS\nv 0 0 0\nv 1 0 0\nv 0 2 0\nv 0 0 3\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n");
}

TEST_CASE("write_surface: what cannot be written leaves no file", "[surface][io]") {
  const TemporaryFolder folder;
  Surface s = tetrahedron();
  require_error<InvalidArgument>([&] { write_surface(folder / "s.off", s); }, {".stl, .ply or .obj", "s.off"});
  require_error<InvalidArgument>([&] { write_surface(folder / "s.stl", Surface{}); }, {"expected some, found none"});
  s.triangles[2][1] = 4;
  require_error<InvalidArgument>([&] { write_surface(folder / "s.stl", s); }, {"vertices below 4, found 4"});
  s = tetrahedron();
  s.vertices_mm[1].y = NAN;
  require_error<InvalidArgument>([&] { write_surface(folder / "s.stl", s); }, {"finite numbers, found nan"});
  require_error<IoError>([&] { write_surface(folder / "absent" / "s.stl", tetrahedron()); }, {"cannot write"});
  CHECK(folder.num_files() == 0);
}
