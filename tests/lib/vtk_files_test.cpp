// SPDX-License-Identifier: Apache-2.0
// Centrelines in binary and XML files.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;

namespace {

VesselTree centerlines(const std::string& name, const std::string& bytes) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / name, bytes);
  return read_vtk_centerlines(folder / name, 0.8, 1);
}

void require_small_tree(const VesselTree& tree, bool has_radii) {
  REQUIRE(tree.nodes.size() == 5);
  CHECK(tree.nodes[0].position_mm == Vec3d{0, 0, -40});
  CHECK(tree.nodes[4].position_mm == Vec3d{-30, 5, 25});
  CHECK(tree.nodes[3].parent == 1);
  CHECK(tree.nodes[4].radius_mm == (has_radii ? 0.75 : 0.8));
}

}  // namespace

TEST_CASE("read_vtk_centerlines: radii of points in text files", "[vessel_tree]") {
  const std::string lines = test::vtk_lines_51();
  require_small_tree(centerlines("t.vtk", lines), false);
  const std::string scalars = "POINT_DATA 4\nSCALARS Radius double\nLOOKUP_TABLE default\n2 1.5 1 0.75\n";
  require_small_tree(centerlines("t.vtk", lines + scalars), true);
  require_small_tree(centerlines("t.vtk", lines + "POINT_DATA 4\nFIELD FieldData 2\nOther 2 4 float\n1 2 3 4 5 6 7 8\n"
                                                  "MaximumInscribedSphereRadius 1 4 double\n2 1.5 1 0.75\n"),
                     true);
  require_small_tree(centerlines("t.vtk", lines + "CELL_DATA 2\nSCALARS Radius double\nLOOKUP_TABLE default\n2 1\n"),
                     false);
  const auto refused = [&](const std::string& more, std::initializer_list<std::string_view> parts) {
    require_error<BadInput>([&] { centerlines("t.vtk", lines + more); }, parts);
  };
  refused("POINT_DATA 4\nSCALARS Radius double\nLOOKUP_TABLE default\n2 0 1 1\n",
          {"radii: expected 1e-6 to 1e9 mm, found 0"});
  refused("POINT_DATA 4\nSCALARS Radius double\nLOOKUP_TABLE default\n2 1 1\n", {"the end of the file"});
  refused("POINT_DATA 4\nFIELD f 1\nRadius 1 3 double\n2 1 1\n",
          {"one number for each of 4 points", "1 for each of 3"});
  refused("POINT_DATA 4\nSCALARS Radius double 3\nLOOKUP_TABLE default\n2 1 1\n", {"radii", "found 3"});
}

TEST_CASE("read_vtk_centerlines: small binary and XML files, and what is wrong with them", "[vessel_tree]") {
  require_small_tree(centerlines("t.vtk", test::vtk_binary()), true);
  require_small_tree(centerlines("t.vtp", test::vtp_text()), true);
  require_small_tree(centerlines("t.vtp", test::vtp_appended()), true);
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    REQUIRE(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  const auto refused = [](const std::string& text, std::initializer_list<std::string_view> parts) {
    require_error<BadInput>([&] { centerlines("t.vtp", text); }, parts);
  };
  const std::string binary = test::vtk_binary(), text = test::vtp_text(), appended = test::vtp_appended();
  refused(replaced(binary, "POINTS 4", "POINTS 4000000000000000000"), {"POINTS", "numbers"});
  refused(replaced(binary, "LINES 3 5", "LINES 3 900"), {"CONNECTIVITY", "900 numbers"});
  refused(replaced(binary, "LINES 3 5", "WORDS 3 5"), {"section", "WORDS"});
  refused(replaced(binary, "float", "bits"), {"a type of numbers"});
  refused(replaced(text, "0 1 2 1 3", "0 1 2 1 4"), {"connectivity: expected a point index below 4, found 4"});
  refused(replaced(text, "3 5", "6 5"), {"offsets: expected 0 to 5, ascending, found 6"});
  refused(replaced(text, "3 5", "3 4"), {"connectivity: expected 4 numbers, found more"});
  refused(replaced(text, "NumberOfPoints=\"4\"", "NumberOfPoints=\"5\""), {"Points: expected 15 numbers, found 12"});
  refused(replaced(text, "PolyData\"", "ImageData\""), {"PolyData", "ImageData"});
  refused(replaced(text, "0.75", "0"), {"radii: expected 1e-6 to 1e9 mm, found 0"});
  refused(replaced(text, "-40", "inf"), {"finite"});
  refused(replaced(appended, "offset=\"0\"", "offset=\"99999\""), {"an offset within the appended data"});
  refused(appended.substr(0, appended.find(">_") + 22), {"Points"});
  refused(replaced(appended, "<VTKFile", "<VTKFile compressor=\"vtkLZ4DataCompressor\""), {"compressor", "LZ4"});
  refused(std::string("<") + std::string(100000, '<'), {"XML"});
}

TEST_CASE("read_vtk_centerlines: every form that VTK writes", "[.][vtk_files]") {
  const char* folder = std::getenv("DSASRGS_VTK_FILES");
  REQUIRE(folder != nullptr);  // tests/import/centrelines.sh
  VesselTree expected;
  std::ifstream text(std::filesystem::path(folder) / "tree.txt");
  for (VesselNode n; text >> n.position_mm.x >> n.position_mm.y >> n.position_mm.z >> n.radius_mm >> n.parent;)
    expected.nodes.push_back(n);
  REQUIRE(expected.nodes.size() == 68);
  int files = 0;
  double largest_mm = 0, largest_of_text_mm = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string suffix = entry.path().extension().string();
    INFO(entry.path().filename().string());
    if (suffix == ".refused")
      require_error<BadInput>([&] { read_vtk_centerlines(entry.path(), 1, 0.01); }, {"compressor"});
    if (suffix != ".vtk" && suffix != ".vtp") continue;
    ++files;
    const std::string file = entry.path().filename().string();
    const bool is_text = file.find("text") != std::string::npos || file.find("Ascii") != std::string::npos;
    const VesselTree tree = read_vtk_centerlines(entry.path(), 1, 0.01);
    REQUIRE(tree.nodes.size() == expected.nodes.size());
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
      const VesselNode &found = tree.nodes[i], &wanted = expected.nodes[i];
      REQUIRE(found.parent == wanted.parent);
      double& largest = is_text ? largest_of_text_mm : largest_mm;
      largest = std::max(
          {largest, length(found.position_mm - wanted.position_mm), std::abs(found.radius_mm - wanted.radius_mm)});
    }
  }
  WARN(files << " files, largest error " << largest_mm << " mm, of text " << largest_of_text_mm << " mm");
  CHECK(files == 8 + 32 + 1);
  CHECK(largest_mm == 0);
  CHECK(largest_of_text_mm < 1e-4);  // legacy files have 6 digits
}
