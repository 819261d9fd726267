// SPDX-License-Identifier: Apache-2.0
// Vessel files as they are found: every spelling of one tree is that tree, and what no tree is gets refused with its
// line.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "simulate/earlier_points.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;

namespace {

VesselTree swc(const std::string& text, double min_radius_mm = 0) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "t.swc", text);
  return read_swc(folder / "t.swc", min_radius_mm);
}
VesselTree vtk(const std::string& text, double join_mm = 1) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "t.vtk", text);
  return read_vtk_centerlines(folder / "t.vtk", 0.8, join_mm);
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

bool same(const VesselTree& a, const VesselTree& b) {
  if (a.nodes.size() != b.nodes.size()) return false;
  for (std::size_t i = 0; i < a.nodes.size(); ++i)
    if (!(a.nodes[i].position_mm == b.nodes[i].position_mm) || a.nodes[i].radius_mm != b.nodes[i].radius_mm ||
        a.nodes[i].parent != b.nodes[i].parent)
      return false;
  return true;
}

const std::string kTree = "1 2 0 0 -40 2 -1\n2 2 0 0 0 2 1\n3 2 30 10 20 1.5 2\n4 2 -30 5 25 1 2\n";

}  // namespace

TEST_CASE("read_swc: one tree in every spelling", "[vessel_tree]") {
  const VesselTree tree = swc(kTree);
  REQUIRE(tree.nodes.size() == 4);
  const auto [name, text] = GENERATE(table<std::string, std::string>({
      {"CRLF", with(kTree, "\n", "\r\n")},
      {"CR", with(kTree, "\n", "\r")},
      {"byte order mark", "\xef\xbb\xbf" + kTree},
      {"byte order mark before a comment", "\xef\xbb\xbf# exported, radius in \xb5m\n" + kTree},
      {"no end of the last line", kTree.substr(0, kTree.size() - 1)},
      {"tabs", with(kTree, " ", "\t")},
      {"blanks before and behind", with("  " + kTree, "\n", " \t\n  ")},
      {"plus", with(with(kTree, " 30 10", " +30 +10"), "1.5", "+1.5")},
      {"ids as numbers with a point",
       "1.0 2 0 0 -40 2 -1.000\n2.0 2. 0 0 0 2 1.0\n3e0 2 30 10 20 1.5 2\n4 2 -30 5 25 1 2\n"},
      {"commas", with(kTree, " ", ",")},
      {"commas and blanks", with(kTree, " ", ", ")},
      {"semicolons", with(kTree, " ", ";")},
      {"more columns", with(kTree, "\n", " 7 0 0.5 nan -\n")},
  }));
  INFO(name);
  CHECK(same(swc(text), tree));
}

TEST_CASE("read_swc: a decimal comma and other misunderstandings are refused", "[vessel_tree]") {
  const auto refused = [](const std::string& text, std::initializer_list<std::string_view> parts) {
    INFO(text);
    require_error<BadInput>([&] { swc(text); }, parts);
  };
  refused(with(kTree, "1.5", "1,5"), {"line 3: radius: expected a finite number, found 1,5"});
  refused("1,2,0,0,-40,2,5,-1\n", {"line 1: fields: expected 7", "found 8"});  // 2,5 for 2.5
  refused(with(with(kTree, "1.5", "1,5"), " ", ";"), {"line 3: radius: expected a finite number, found 1,5"});
  refused("id type x y z r pid\n" + kTree, {"line 1: id: expected a whole number, found id"});
  refused("1 0 0 0 0 +-1 -1\n", {"line 1: radius"});
  refused("1 0 0 0 0 1 -0.5\n", {"line 1: parent: expected a whole number"});
  refused("1e30 0 0 0 0 1 -1\n", {"line 1: id: expected a whole number"});
  refused("1 0 1e300 0 0 1 -1\n", {"line 1: x: expected a coordinate within 1e9 mm"});
  refused("1 0 0 0 0 1e300 -1\n", {"line 1: radius: expected 1e-6 to 1e9 mm"});
  refused("1 0 " + std::string(1000, '7') + "x 0 0 1 -1\n", {"found 7777777777777777777777777777777777777777…"});
  refused(std::string(1 << 20, '1') + "\n", {"line 1: fields: expected 7"});
  refused(std::string("\xff\xfe"
                      "1\0 \0",
                      6),
          {"line 1"});
}

TEST_CASE("read_swc: a smallest radius stands in for smaller ones", "[vessel_tree]") {
  const std::string text = with(with(kTree, "25 1 2", "25 0 2"), "1.5", "0.05");
  require_error<BadInput>([&] { swc(text); },
                          {"line 4: radius: expected a positive length", "min_radius_mm", "found 0"});
  const VesselTree tree = swc(text, 0.1);
  CHECK(tree.nodes[1].radius_mm == 2);
  CHECK(tree.nodes[2].radius_mm == 0.1);
  CHECK(tree.nodes[3].radius_mm == 0.1);
  require_error<BadInput>([&] { swc(with(kTree, "25 1 2", "25 -1 2"), 0.1); }, {"line 4: radius", "found -1"});
  require_error<BadInput>([&] { swc(with(kTree, "25 1 2", "25 nan 2"), 0.1); }, {"line 4: radius", "found nan"});
  require_error<InvalidArgument>([&] { swc(kTree, -1); }, {"min_radius_mm: expected 0, or", "found -1"});
}

TEST_CASE("read_vtk_centerlines: one tree in every version of the format", "[vessel_tree]") {
  const std::string head = "# vtk DataFile Version 5.1\nvtk output\nASCII\nDATASET POLYDATA\n";
  const std::string points = "POINTS 4 float\n0 0 -40\n0 0 0 30 10 20\n-30 5 25\n";
  const std::string lines = "LINES 2 7\n3 0 1 2\n2 1 3\n";
  const std::string lines51 = "LINES 3 5\nOFFSETS vtktypeint64\n0 3 5 \nCONNECTIVITY vtktypeint64\n0 1 2 1 3 \n";
  const std::string metadata = "METADATA\nINFORMATION 1\nNAME L2_NORM_RANGE LOCATION vtkDataArray\nDATA 2 0 50 \n\n";
  const VesselTree tree = vtk(head + points + lines);
  REQUIRE(tree.nodes.size() == 5);
  CHECK(tree.nodes[3].parent == 1);
  CHECK(same(vtk(head + points + lines51), tree));
  CHECK(same(vtk(head + points + metadata + lines51), tree));
  CHECK(same(vtk(head + points + "VERTICES 1 2\n1 0\nLINES 0 0\n" + lines), tree));
  CHECK(same(vtk(with(head + points + lines51, "\n", "\r\n")), tree));
  CHECK(same(vtk(with(head + points + lines, " 10 20", " +10 +20")), tree));
  const auto refused = [&](const std::string& text, std::initializer_list<std::string_view> parts) {
    INFO(text);
    require_error<BadInput>([&] { vtk(text); }, parts);
  };
  refused(head + points + with(lines51, "0 3 5", "1 3 5"), {"OFFSETS: expected 0 first, found 1"});
  refused(head + points + with(lines51, "0 3 5", "0 3 2"), {"OFFSETS: expected 3 to 5, ascending, found 2"});
  refused(head + points + with(lines51, "0 3 5", "0 3 4"),
          {"OFFSETS: expected 5, the number of indices, last, found 4"});
  refused(head + points + with(lines51, "1 3 \n", "1 4 \n"), {"a point index below 4, found 4"});
  refused(head + points + with(lines51, "1 3 \n", "1 \n"), {"the end of the file"});
  refused(head + with(points, "POINTS 4", "POINTS 4000000000") + lines, {"line 5: POINTS: expected 0 to 2147483647"});
  refused(head + with(points, "-40", "1e300") + lines, {"POINTS: expected a coordinate within 1e9 mm"});
  refused(head + points + with(lines, "2 1 3", "-2 1 3"), {"polylines: expected 0 to 2147483647, found -2"});
}

TEST_CASE("earlier_points: the nearest before, the earliest of equals, as a search of all says", "[vessel_tree]") {
  std::vector<Vec3d> points;
  const auto r = test::random_values<double>(1200, 0, 4, 3);
  for (std::size_t i = 0; i + 2 < r.size(); i += 3)  // on a coarse lattice, so that many are equal or equally far
    points.push_back({std::floor(r[i]), std::floor(r[i + 1]), std::floor(r[i + 2])});
  const EarlierPoints earlier(points);
  for (std::size_t end = 0; end < points.size(); end += 7)
    for (const double reach : {0.0, 1.0, 1.2, 100.0}) {
      const Vec3d p = points[end] + Vec3d{end % 2 == 0 ? 0.0 : 0.5, 0, 0};
      int expected = -1;
      double nearest = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < end; ++i)
        if (const double d = length(points[i] - p); d <= reach && d < nearest) {
          nearest = d;
          expected = static_cast<int>(i);
        }
      REQUIRE(earlier.nearest(p, end, reach) == expected);
    }
  CHECK(EarlierPoints({}).nearest({}, 0, 1) == -1);
}

TEST_CASE("read_vtk_centerlines: many lines take no time of their square", "[vessel_tree]") {
  std::string points, lines;
  constexpr int kLines = 40000;  // searching all before each would look at 1.6e9
  for (int i = 0; i < kLines; ++i) {
    const std::string x = std::to_string(i % 200), y = std::to_string(i / 200);
    points.append(x).append(" ").append(y).append(" 0 ").append(x).append(" ").append(y).append(" 3\n");
    lines.append("2 ").append(std::to_string(2 * i)).append(" ").append(std::to_string(2 * i + 1)).append("\n");
  }
  const VesselTree tree =
      vtk("# vtk DataFile Version 3.0\nt\nASCII\nDATASET POLYDATA\nPOINTS " + std::to_string(2 * kLines) + " float\n" +
          points + "LINES " + std::to_string(kLines) + " " + std::to_string(3 * kLines) + "\n" + lines);
  REQUIRE(tree.nodes.size() == 2 * kLines);
  CHECK(tree.nodes[2].parent == 0);
  CHECK(tree.nodes.back().parent == 2 * kLines - 2);
}
