// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small files that are as they should be, to be spoilt.

#include <cstdint>
#include <initializer_list>
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

/// Numbers as a file has them: little-endian, or (legacy VTK) big-endian.
template <class T>
std::string stored_numbers(std::initializer_list<T> numbers, bool big_endian) {
  std::string bytes;
  for (const T number : numbers) {
    std::string one(reinterpret_cast<const char*>(&number), sizeof number);
    if (big_endian) one.assign(one.rbegin(), one.rend());
    bytes += one;
  }
  return bytes;
}

/// The same tree as vtk_lines() with radii 2, 1.5, 1 and 0.75.
inline std::string vtk_binary() {
  return "# vtk DataFile Version 5.1\nvtk output\nBINARY\nDATASET POLYDATA\nPOINTS 4 float\n" +
         stored_numbers<float>({0, 0, -40, 0, 0, 0, 30, 10, 20, -30, 5, 25}, true) +
         "\nLINES 3 5\nOFFSETS vtktypeint64\n" + stored_numbers<std::int64_t>({0, 3, 5}, true) +
         "\nCONNECTIVITY vtktypeint64\n" + stored_numbers<std::int64_t>({0, 1, 2, 1, 3}, true) +
         "\nPOINT_DATA 4\nFIELD FieldData 1\nMaximumInscribedSphereRadius 1 4 double\n" +
         stored_numbers<double>({2, 1.5, 1, 0.75}, true) + "\n";
}

/// `array(type, name, numbers)` is a DataArray.
template <class Array>
std::string vtp_file(const Array& array, const std::string& appended) {
  return "<?xml version=\"1.0\"?>\n<VTKFile type=\"PolyData\" version=\"1.0\" "
         "byte_order=\"LittleEndian\">\n<PolyData>\n"
         "<Piece NumberOfPoints=\"4\" NumberOfLines=\"2\">\n<PointData>" +
         array("Float64", "Radius", 0) + "</PointData>\n<Points>" + array("Float32", "Points", 1) +
         "</Points>\n<Lines>" + array("Int64", "connectivity", 2) + array("Int64", "offsets", 3) +
         "</Lines>\n</Piece>\n</PolyData>\n" + appended + "</VTKFile>\n";
}
inline std::string vtp_text() {
  const char* numbers[] = {"2 1.5 1 0.75", "0 0 -40 0 0 0 30 10 20 -30 5 25", "0 1 2 1 3", "3 5"};
  return vtp_file(
      [&](const std::string& type, const std::string& name, int i) {
        return "<DataArray type=\"" + type + "\" Name=\"" + name + "\" format=\"ascii\">" + numbers[i] + "</DataArray>";
      },
      "");
}
inline std::string vtp_appended() {
  const std::string numbers[] = {stored_numbers<double>({2, 1.5, 1, 0.75}, false),
                                 stored_numbers<float>({0, 0, -40, 0, 0, 0, 30, 10, 20, -30, 5, 25}, false),
                                 stored_numbers<std::int64_t>({0, 1, 2, 1, 3}, false),
                                 stored_numbers<std::int64_t>({3, 5}, false)};
  std::string data;
  std::size_t offset[4];
  for (int i = 0; i < 4; ++i) {
    offset[i] = data.size();
    data += stored_numbers<std::uint32_t>({static_cast<std::uint32_t>(numbers[i].size())}, false) + numbers[i];
  }
  return vtp_file(
      [&](const std::string& type, const std::string& name, int i) {
        return "<DataArray type=\"" + type + "\" Name=\"" + name + "\" format=\"appended\" offset=\"" +
               std::to_string(offset[i]) + "\"/>";
      },
      "<AppendedData encoding=\"raw\">_" + data + "</AppendedData>\n");
}

}  // namespace dsasrgs::test
