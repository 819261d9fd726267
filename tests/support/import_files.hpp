// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files of every kind that importers read, with two views of 4 x 3 pixels, a few hundred bytes each.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>

#include "dsasrgs/io.hpp"

namespace dsasrgs::test {

inline constexpr int kImportWidth = 4, kImportHeight = 3, kImportViews = 2;

/// Pixels [H,W], or of all views [V,H,W]: 0, 1/16, 2/16, …
inline std::string import_pixels(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    const float value = static_cast<float>(i) / 16;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

inline std::string npy_bytes(std::string_view type, std::string_view shape, const std::string& numbers) {
  std::string header =
      "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': " + std::string(shape) + ", }";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00\x77\x00", 10) + header + "\n" + numbers;
}

inline std::string stack_npy() { return npy_bytes("<f4", "(2, 3, 4)", import_pixels(24)); }

inline std::string tigre_json() {
  return R"({"DSD": 1200, "DSO": 750.0, "nDetector": [3, 4], "dDetector": [60, 50], "offDetector": [0, 4],
 "nVoxel": [4, 4, 4], "sVoxel": [80, 80, 80], "offOrigin": [0, 0, 0], "angles": [0.25, 1.5]})";
}

inline std::string astra_text() { return "750 0 0 -450 0 0 0 50 0 0 0 -60\n0 750 0 0 -450 0 -50 0 0 0 0 -60\n"; }

inline std::string rtk_xml() {
  return R"(<?xml version="1.0"?>
<!DOCTYPE RTKGEOMETRY>
<RTKThreeDCircularGeometry version="3">
  <SourceToIsocenterDistance>750</SourceToIsocenterDistance>
  <SourceToDetectorDistance>1200</SourceToDetectorDistance>
  <Projection><GantryAngle>0</GantryAngle>
    <Matrix> -1200 0 0 0  0 -1200 0 0  0 0 1 -750 </Matrix></Projection>
  <Projection><GantryAngle>90</GantryAngle><ProjectionOffsetX>2</ProjectionOffsetX></Projection>
</RTKThreeDCircularGeometry>
)";
}

inline std::string meta_image() {
  return "ObjectType = Image\nNDims = 3\nBinaryData = True\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -75 -60 0\n"
         "ElementSpacing = 50 60 1\nDimSize = 4 3 2\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n" +
         import_pixels(24);
}

/// Of protocol 2, with an array as NumPy has it before protocol 5.
inline std::string naf_pickle() {
  const auto text = [](std::string_view s) {
    return std::string("X") + static_cast<char>(s.size()) + std::string(3, '\0') + std::string(s);
  };
  const std::string angles = "(G?\xd0" + std::string(6, '\0') + "G?\xf8" + std::string(6, '\0') + "l";
  std::string array = "cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01(K\x02K\x03K\x04t";
  array += std::string("cnumpy\ndtype\n(") + text("f4") + std::string("K\0K\x01", 4) + "tR(K\x03" + text("<") + "tb";
  array +=
      "\x89"
      "B" +
      std::string("\x60\0\0\0", 4) + import_pixels(24) + "tb";
  const auto list = [](std::initializer_list<int> numbers) {
    std::string bytes = "(";
    for (const int n : numbers) bytes += std::string("K") + static_cast<char>(n);
    return bytes + "l";
  };
  return "\x80\x02}(" + text("DSD") + "M\xb0\x04" + text("DSO") + "M\xee\x02" + text("nDetector") + list({3, 4}) +
         text("dDetector") + list({60, 50}) + text("nVoxel") + list({4, 4, 4}) + text("dVoxel") + list({20, 20, 20}) +
         text("mode") + text("cone") + text("train") + "}(" + text("angles") + angles + text("projections") + array +
         "uu.";
}

inline std::string float_tiff() {
  std::string bytes("II*\0\x08\0\0\0", 8);
  const std::uint16_t entries[][2] = {{256, kImportWidth},
                                      {257, kImportHeight},
                                      {258, 32},
                                      {259, 1},
                                      {262, 1},
                                      {273, 134},
                                      {277, 1},
                                      {278, kImportHeight},
                                      {279, 48},
                                      {339, 3}};
  bytes += std::string("\x0a\0", 2);
  for (const auto& [tag, value] : entries) {
    char entry[12] = {};
    const std::uint16_t is_short = 3, one = 1;
    std::memcpy(entry, &tag, 2);
    std::memcpy(entry + 2, &is_short, 2);
    std::memcpy(entry + 4, &one, 2);
    std::memcpy(entry + 8, &value, 2);
    bytes.append(entry, sizeof entry);
  }
  return bytes + std::string(4, '\0') + import_pixels(kImportWidth * kImportHeight);
}

inline std::string pose_table(std::string_view suffix) {
  return "file,time_s,primary_deg,secondary_deg,sod_mm,sdd_mm,offset_u_mm\n1" + std::string(suffix) +
         ",0,10,0,750,1200,0\n1" + std::string(suffix) + ",0.5,55,2,750,1200,3\n";
}

inline std::string r2_json() {
  return R"({"scanner": {"mode": "cone", "DSD": 1.2, "DSO": 0.75, "nDetector": [3, 4], "sDetector": [0.18, 0.2],
  "nVoxel": [2, 2, 2], "sVoxel": [0.08, 0.08, 0.08], "offOrigin": [0, 0, 0], "offDetector": [0, 0]}, "vol": "vol.npy",
  "proj_train": [{"file_path": "1.npy", "angle": 0.25}], "proj_test": [{"file_path": "2.npy", "angle": 1.5}]})";
}

inline std::string four_drgs_json() {
  return R"({"volume_resolution": [4, 4, 4], "volume_spacing": [20, 20, 20], "volume_phy": [80, 80, 80], "sad": 750, "sid": 1200,
  "proj_resolution": [4, 3], "proj_spacing": [50, 60], "N_views": 2, "frames": [{"PrimaryAngle": 0.25}, {"PrimaryAngle": 1.5}]})";
}

/// All of them in one folder; 4DRGS's runs are counts of e^−(i/16) and 1.
inline void write_import_files(const std::filesystem::path& folder) {
  const auto write_bytes = [](const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  };
  write_bytes(folder / "stack.npy", stack_npy());
  write_bytes(folder / "astra.npy", npy_bytes("<f4", "(3, 2, 4)", import_pixels(24)));
  write_bytes(folder / "tigre.json", tigre_json());
  write_bytes(folder / "astra.txt", astra_text());
  write_bytes(folder / "rtk.xml", rtk_xml());
  write_bytes(folder / "stack.mha", meta_image());
  write_bytes(folder / "naf.pickle", naf_pickle());
  write_bytes(folder / "1.tif", float_tiff());
  write_bytes(folder / "poses.csv", pose_table(".tif"));
  write_bytes(folder / "meta_data.json", r2_json());
  write_bytes(folder / "vol.npy", npy_bytes("<f4", "(2, 2, 2)", import_pixels(8)));
  for (const char* view : {"1.npy", "2.npy"}) write_bytes(folder / view, npy_bytes("<f4", "(3, 4)", import_pixels(12)));
  write_bytes(folder / "transforms.json", four_drgs_json());
  Volume run{{kImportWidth, kImportHeight, kImportViews, {1, 1, 1}, {}}, std::vector<float>(24, 1), 1};
  write_nifti(folder / "mask_run.nii.gz", run);
  for (std::size_t i = 0; i < run.values.size(); ++i) run.values[i] = std::exp(-static_cast<float>(i) / 16);
  write_nifti(folder / "fill_run.nii.gz", run);
}

}  // namespace dsasrgs::test
