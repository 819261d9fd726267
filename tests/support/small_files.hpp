#pragma once
// Small files that are as they should be, to be spoilt.

#include <string>

#include "dsasrgs/image.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

inline Volume small_volume() {
  return {{5, 4, 3, {0.5, 0.75, 1.25}, {-10, 20, -30}}, random_values<float>(60, -1, 1, 9), 1};
}
inline Image small_image() { return {16, 12, random_values<float>(192, 0, 1, 4)}; }

inline constexpr const char* kSwc =
    "# a tree\n1 2 0 0 -40 2 -1\n2 2 0 0 0 2 1\n3 2 30 10 20 1.5 2\n4 2 -30 5 25 1 2\n5 2 3e1 6 25 1 2\n";

inline std::string vtk_file(const std::string& lines) {
  return "# vtk DataFile Version 5.1\nvtk output\nASCII\nDATASET POLYDATA\nPOINTS 4 float\n0 0 -40\n0 0 0 30 10 "
         "20\n-30 5 25\n" +
         lines;
}
/// Up to version 3 of the format.
inline std::string vtk_lines() { return vtk_file("LINES 2 7\n3 0 1 2\n2 1 3\n"); }
inline std::string vtk_lines_51() {
  return vtk_file("LINES 3 5\nOFFSETS vtktypeint64\n0 3 5 \nCONNECTIVITY vtktypeint64\n0 1 2 1 3 \n");
}

}  // namespace dsasrgs::test
