// SPDX-License-Identifier: Apache-2.0
// Vessel trees: files, smoothing, placing, the built-in tree.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"

using namespace dsasrgs;

namespace {

/// A text file that is removed at the end of the test.
class TextFile {
 public:
  explicit TextFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("dsasrgs_vessel_tree_test_" + std::to_string(getpid()))) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  ~TextFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

VesselTree swc(const std::string& text) { return read_swc(TextFile(text).path()); }
VesselTree vtk(const std::string& text, double join_mm = 1) {
  return read_vtk_centerlines(TextFile(text).path(), 0.8, join_mm);
}

std::filesystem::path shared(const char* name) { return std::filesystem::path(DSASRGS_SHARED_DATA) / name; }

void check_order(const VesselTree& tree) {
  for (std::size_t i = 0; i < tree.nodes.size(); ++i)
    if (tree.nodes[i].parent >= static_cast<int>(i)) FAIL_CHECK("node " << i << " comes before its parent");
}

}  // namespace

TEST_CASE("vessel_tree: SWC nodes are put behind their parents", "[vessel_tree]") {
  const VesselTree tree =
      swc("# comment\n\n 7 2 1 2 3 0.5 3\r\n3 0 1 2 2 1.5 9 # end\n9 0 1 2 0 2.5 -1\n4 0 0 0 0 1 -1\n");
  REQUIRE(tree.nodes.size() == 4);
  check_order(tree);
  CHECK(tree.nodes[0].radius_mm == 2.5);
  CHECK(tree.nodes[0].parent == -1);
  CHECK(tree.nodes[1].radius_mm == 1.5);
  CHECK(tree.nodes[1].parent == 0);
  CHECK(tree.nodes[2].position_mm == Vec3d{1, 2, 3});
  CHECK(tree.nodes[2].parent == 1);
  CHECK(tree.nodes[3].parent == -1);
  CHECK(tree.path_length_mm() == std::vector<double>{0, 2, 3, 0});
}

TEST_CASE("vessel_tree: malformed SWC is refused with its line", "[vessel_tree]") {
  const auto refused = [](const std::string& text, const std::string& message) {
    INFO(text);
    CHECK_THROWS_AS(swc(text), BadInput);
    CHECK_THROWS_WITH(swc(text), Catch::Contains(message));
  };
  refused("1 0 0 0 0 1 -1\n2 0 0 0 1 1\n", "line 2: fields: expected 7");
  refused("1 0 0 zero 0 1 -1\n", "line 1: y: expected a finite number, found zero");
  refused("1 0 0 0 nan 1 -1\n", "line 1: z: expected a finite number");
  refused("1 0 0 0 0 1mm -1\n", "line 1: radius");
  refused("1.5 0 0 0 0 1 -1\n", "line 1: id: expected a whole number");
  refused("# c\n1 0 0 0 0 0 -1\n", "line 2: radius: expected a positive length");
  refused("1 0 0 0 0 -2 -1\n", "line 1: radius");
  refused("1 0 0 0 0 1 -1\n2 0 0 0 0 1 5\n", "line 2: parent: expected the id of another node or -1, found 5");
  refused("1 0 0 0 0 1 -1\n1 0 0 0 0 1 -1\n", "line 2: id");
  refused("1 0 0 0 0 1 3\n2 0 0 0 0 1 1\n3 0 0 0 0 1 2\n", "a cycle");
  refused("1 0 0 0 0 1 1\n", "a cycle");
  refused("# nothing\n", "nodes");
  CHECK_THROWS_AS(read_swc("/nonexistent/tree.swc"), IoError);
  CHECK_THROWS_AS(read_swc(std::filesystem::temp_directory_path()), IoError);
}

TEST_CASE("vessel_tree: the BraVa trees are read", "[vessel_tree][real]") {
  const struct {
    const char* file;
    std::size_t num_nodes;
  } cases[] = {{"vessel-trees/BG001.swc", 3933}, {"vessel-trees/BG0003.swc", 3470}, {"vessel-trees/BG17.swc", 3868}};
  for (const auto& c : cases) {
    const auto path = shared(c.file);
    VesselTree tree = read_swc(path);
    INFO(c.file);
    CHECK(tree.nodes.size() == c.num_nodes);
    check_order(tree);
    CHECK(std::count_if(tree.nodes.begin(), tree.nodes.end(), [](const VesselNode& n) { return n.parent < 0; }) == 1);
    CHECK(std::all_of(tree.nodes.begin(), tree.nodes.end(), [](const VesselNode& n) { return n.radius_mm >= 0.3; }));
    const std::vector<double> path_mm = tree.path_length_mm();
    const double rough = *std::max_element(path_mm.begin(), path_mm.end());
    smooth_vessels(tree, 4);
    const std::vector<double> smooth_mm = tree.path_length_mm();
    CHECK(*std::max_element(smooth_mm.begin(), smooth_mm.end()) < 0.97 * rough);  // voxel stairs are gone
  }
}

TEST_CASE("vessel_tree: zero radii in a file are refused with the line", "[vessel_tree][real]") {
  const auto path = shared("vessel-trees/BG0002-zero-radii.swc");
  std::ifstream file(path);
  std::string text;
  std::size_t line = 0;
  for (bool zero = false; !zero && std::getline(file, text);) {
    ++line;
    double v[7];
    if (text[0] == '#') continue;
    REQUIRE(std::sscanf(text.c_str(), "%lf %lf %lf %lf %lf %lf %lf", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6) == 7);
    zero = v[5] == 0;
  }
  CHECK_THROWS_AS(read_swc(path), BadInput);
  CHECK_THROWS_WITH(read_swc(path),
                    Catch::Contains("line " + std::to_string(line) + ": radius: expected a positive length"));
  const VesselTree repaired = read_swc(path, 0.25);
  CHECK(std::count_if(repaired.nodes.begin(), repaired.nodes.end(),
                      [](const VesselNode& n) { return n.radius_mm == 0.25; }) > 0);
  CHECK(std::all_of(repaired.nodes.begin(), repaired.nodes.end(),
                    [](const VesselNode& n) { return n.radius_mm >= 0.25; }));
}

TEST_CASE("vessel_tree: VTK polylines are joined where they start near one before", "[vessel_tree]") {
  const std::string head = "# vtk DataFile Version 2.0\nA title\nASCII\nDATASET UNSTRUCTURED_GRID\n";
  const VesselTree tree = vtk(head +
                              "POINTS 6 float\n0 0 0 0 0\n5 0 0 10\n0.5 0 5 3 0 5\n40 0 0\nCELLS 3 9\n3 0 1\n2\n"
                              "2 3 4\n1 5\nCELL_TYPES 3\n4\n4\n1\n");
  REQUIRE(tree.nodes.size() == 6);
  CHECK(tree.nodes[2].parent == 1);
  CHECK(tree.nodes[3].parent == 1);  // half a millimetre from the second point of the first line
  CHECK(tree.nodes[4].parent == 3);
  CHECK(tree.nodes[5].parent == -1);
  CHECK(tree.nodes[4].position_mm == Vec3d{3, 0, 5});
  CHECK(tree.nodes[4].radius_mm == 0.8);
  CHECK(vtk(head + "POINTS 3 float\n0 0 0 0 0 5 0.5 0 5\nLINES 2 5\n2 0 1\n1 2\n", 0.4).nodes[2].parent == -1);
  const auto refused = [](const std::string& text, const std::string& message) {
    CHECK_THROWS_AS(vtk(text), BadInput);
    CHECK_THROWS_WITH(vtk(text), Catch::Contains(message));
  };
  refused("hello\n", "line 1: header");
  refused("# vtk DataFile Version 2.0\nA title\nHEX\n", "line 3: format: expected ASCII or BINARY, found HEX");
  refused("# vtk DataFile Version 2.0\nA title\nBINARY\n", "polylines: expected points and lines");
  refused(head + "POINTS 2 float\n0 0 0 0 x 0\n", "line 6: POINTS: expected a finite number, found x");
  refused(head + "POINTS 2 float\n0 0 0 0\n", "the end of the file");
  refused(head + "POINTS 2 float\n0 0 0 0 1 0\nCELLS 1 3\n2 0 2\n", "a point index below 2, found 2");
  refused(head, "polylines");
  CHECK_THROWS_AS(read_vtk_centerlines("/nonexistent.vtk", 1), IoError);
  CHECK_THROWS_AS(read_vtk_centerlines("/nonexistent.vtk", 0), InvalidArgument);
}

TEST_CASE("vessel_tree: the phantom's centrelines are one connected tree", "[vessel_tree][real]") {
  const auto path = shared("xa-phantom/Centerlines.vtk");
  const VesselTree tree = read_vtk_centerlines(path, 1.5);
  CHECK(tree.nodes.size() == 453);  // the points of its 11 polylines
  CHECK(std::count_if(tree.nodes.begin(), tree.nodes.end(), [](const VesselNode& n) { return n.parent < 0; }) == 1);
}

TEST_CASE("vessel_tree: smoothing is the [¼ ½ ¼] filter and keeps inlets, branch points and ends", "[vessel_tree]") {
  VesselTree tree{{{{0, 0, 0}, 4, -1},
                   {{4, 0, 1}, 2, 0},
                   {{0, 8, 2}, 2, 1},
                   {{0, 0, 9}, 1, 2},
                   {{0, 0, 3}, 1, 2},
                   {{1, 1, 1}, 1, 4}}};
  const VesselTree before = tree;
  smooth_vessels(tree, 1);
  CHECK(tree.nodes[1].position_mm == Vec3d{2, 2, 1});
  CHECK(tree.nodes[1].radius_mm == 2.5);
  CHECK(tree.nodes[4].position_mm == Vec3d{0.25, 2.25, 2.25});
  for (const std::size_t kept : {0, 2, 3, 5}) {
    CHECK(tree.nodes[kept].position_mm == before.nodes[kept].position_mm);
    CHECK(tree.nodes[kept].radius_mm == before.nodes[kept].radius_mm);
  }
  smooth_vessels(tree, 1);
  VesselTree twice = before;
  smooth_vessels(twice, 2);
  CHECK(twice.nodes[4].position_mm == tree.nodes[4].position_mm);
  CHECK_THROWS_AS(smooth_vessels(tree, -1), InvalidArgument);
}

TEST_CASE("vessel_tree: centring and turning", "[vessel_tree]") {
  VesselTree tree{{{{1, 2, 3}, 1, -1}, {{5, -2, 9}, 1, 0}, {{3, 0, 4}, 1, 1}}};
  center_vessels(tree);
  CHECK(tree.nodes[0].position_mm == Vec3d{-2, 2, -3});
  CHECK(tree.nodes[1].position_mm == Vec3d{2, -2, 3});
  rotate_vessels(tree, {{1, 0, 0}, {0, 0, -1}, {0, 1, 0}});
  CHECK(tree.nodes[0].position_mm == Vec3d{-2, 3, 2});
  CHECK_THROWS_WITH(rotate_vessels(tree, {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}), Catch::Contains("mirror"));
  CHECK_THROWS_WITH(rotate_vessels(tree, {{2, 0, 0}, {0, 1, 0}, {0, 0, 1}}), Catch::Contains("orthonormal"));
  VesselTree empty;
  center_vessels(empty);
  CHECK(empty.nodes.empty());
}

TEST_CASE("vessel_tree: the built-in tree obeys Murray's law and fills its ellipsoid", "[vessel_tree]") {
  VesselTreeOptions options;
  options.seed = GENERATE(1u, 2u, 17u);
  const VesselTree tree = generate_vessel_tree(options);
  check_order(tree);
  CHECK(tree.nodes.size() > 500);
  CHECK(tree.nodes.size() < 3000);
  std::vector<double> cubes(tree.nodes.size());
  std::vector<int> children(tree.nodes.size());
  int num_inlets = 0, num_branchings = 0, num_ends = 0;
  double smallest = 1e9, largest_turn = 0;
  bool octant[8] = {};
  for (const VesselNode& n : tree.nodes) {
    smallest = std::min(smallest, n.radius_mm);
    const Vec3d p = n.position_mm, half = options.ellipsoid_half_axes_mm;
    if (length(Vec3d{p.x / half.x, p.y / half.y, p.z / half.z}) > 1) FAIL_CHECK("a node outside the ellipsoid");
    if (length(p) > 40) octant[(p.x > 0) + 2 * (p.y > 0) + 4 * (p.z > 0)] = true;
    if (n.parent < 0) {
      ++num_inlets;
      CHECK(n.radius_mm == 2.5);
      CHECK(p.z < -0.9 * half.z);
      continue;
    }
    ++children[n.parent];
    cubes[n.parent] += n.radius_mm * n.radius_mm * n.radius_mm;
    const VesselNode& up = tree.nodes[n.parent];
    if (n.radius_mm > up.radius_mm * (1 + 1e-12)) FAIL_CHECK("a vessel widens downstream");
    if (up.parent >= 0 && length(p - up.position_mm) > 0) {
      const Vec3d in = up.position_mm - tree.nodes[up.parent].position_mm;
      if (length(in) > 0)
        largest_turn += std::acos(std::clamp(dot(normalized(in), normalized(p - up.position_mm)), -1.0, 1.0));
    }
  }
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const double r = tree.nodes[i].radius_mm;
    if (children[i] == 0) {
      ++num_ends;
      CHECK(r == Approx(0.1).epsilon(1e-12));
    } else if (children[i] == 2) {
      ++num_branchings;
      CHECK(cubes[i] == Approx(r * r * r).epsilon(1e-9));
    } else {
      CHECK(children[i] == 1);
    }
  }
  CHECK(num_inlets == 3);
  CHECK(num_branchings > 100);
  CHECK(num_ends == num_branchings + num_inlets);
  CHECK(smallest == Approx(0.1).epsilon(1e-12));
  CHECK(std::all_of(std::begin(octant), std::end(octant), [](bool b) { return b; }));
  CHECK(largest_turn / static_cast<double>(tree.nodes.size()) > 0.1);  // tortuous: rad per node, on average
}

TEST_CASE("vessel_tree: seeds make trees, the same seed the same tree", "[vessel_tree]") {
  const auto positions = [](std::uint64_t seed) {
    VesselTreeOptions options;
    options.seed = seed;
    std::vector<double> values;
    for (const VesselNode& n : generate_vessel_tree(options).nodes)
      values.insert(values.end(), {n.position_mm.x, n.position_mm.y, n.position_mm.z, n.radius_mm});
    return values;
  };
  CHECK((positions(5) == positions(5)));
  CHECK((positions(5) != positions(6)));
}

TEST_CASE("vessel_tree: the default tree is inside the default volume and in view of the default detector",
          "[vessel_tree]") {
  const SimulationOptions options;
  for (const std::uint64_t seed : {1, 4}) {
    VesselTreeOptions tree_options;
    tree_options.seed = seed;
    const VesselTree tree = generate_vessel_tree(tree_options);
    int num_outside = 0;
    for (const VesselNode& n : tree.nodes) {
      num_outside += !options.volume.contains(n.position_mm);
      for (const Pose& pose : circular_poses(options.sweep)) {
        const Vec2d px = project_point(pose, options.detector, n.position_mm);
        num_outside += !(px.x > 0 && px.y > 0 && px.x < options.detector.width_px && px.y < options.detector.height_px);
      }
    }
    CHECK(num_outside == 0);
  }
}

TEST_CASE("vessel_tree: unusual sizes make trees and impossible ones are refused", "[vessel_tree]") {
  VesselTreeOptions options;
  options.min_radius_mm = options.inlet_radius_mm = 1;
  options.num_inlets = 1;
  const VesselTree one = generate_vessel_tree(options);
  CHECK(one.nodes.size() > 2);
  CHECK(one.nodes.back().radius_mm == 1);
  options.inlet_radius_mm = 1.9;
  options.num_inlets = 4;
  CHECK(generate_vessel_tree(options).nodes.size() > 8);
  const auto refused = [](auto change) {
    VesselTreeOptions o;
    change(o);
    CHECK_THROWS_AS(generate_vessel_tree(o), InvalidArgument);
  };
  refused([](VesselTreeOptions& o) { o.num_inlets = 0; });
  refused([](VesselTreeOptions& o) { o.min_radius_mm = 0; });
  refused([](VesselTreeOptions& o) { o.min_radius_mm = 3; });
  refused([](VesselTreeOptions& o) { o.inlet_radius_mm = INFINITY; });
  refused([](VesselTreeOptions& o) { o.ellipsoid_half_axes_mm.y = 0; });
  // What would never end, or give numbers that are none.
  refused([](VesselTreeOptions& o) { o.inlet_radius_mm = 1e9; });
  refused([](VesselTreeOptions& o) { o.min_radius_mm = 1e-300; });
  refused([](VesselTreeOptions& o) { o.ellipsoid_half_axes_mm = {1e8, 1e8, 1e8}; });
  VesselTreeOptions most;
  most.num_inlets = 100;
  most.inlet_radius_mm = 60;  // for 1000 end points of each inlet, and 10 000 in all
  CHECK(generate_vessel_tree(most).nodes.size() < 200000);
}
