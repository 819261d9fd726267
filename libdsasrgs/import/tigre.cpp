// SPDX-License-Identifier: Apache-2.0
// TIGRE: a geometry in JSON and an array of projections.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "import/element_sizes.hpp"
#include "import/imported_case.hpp"
#include "import/json_file.hpp"
#include "import/projection_stack.hpp"

namespace dsasrgs {

namespace {

using Mat3d = Mat3<double>;

Mat3d about_x(double a) { return {{1, 0, 0}, {0, std::cos(a), -std::sin(a)}, {0, std::sin(a), std::cos(a)}}; }
Mat3d about_y(double a) { return {{std::cos(a), 0, std::sin(a)}, {0, 1, 0}, {-std::sin(a), 0, std::cos(a)}}; }
Mat3d about_z(double a) { return {{std::cos(a), -std::sin(a), 0}, {std::sin(a), std::cos(a), 0}, {0, 0, 1}}; }

/// Poses of TIGRE's CUDA code: at rest the source is at (DSO, 0, 0), columns grow towards +y and rows towards +z; the
/// detector is turned by Rz(roll) Ry(pitch) Rx(yaw) about its centre, shifted by (offDetector u, v) along (y, z), then
/// everything by Rz(α) Ry(θ) Rz(ψ), and last by COR along (−sin α, cos α, 0).
std::vector<Pose> tigre_poses(const JsonFields& json, double mm, double& largest_angle) {
  const std::size_t count = json.length("angles"), width = json.width("angles");
  if (count == 0) json.refuse("angles", "at least one view", "none");
  if (width != 1 && width != 3) json.refuse("angles", "rows of 1 or 3 angles", "some of " + std::to_string(width));
  const auto angles = json.rows("angles", width, count, {});
  const auto dso = json.rows("DSO", 1, count, {}), dsd = json.rows("DSD", 1, count, {});
  const auto offset = json.rows("offDetector", 2, count, {0, 0});
  const auto turned = json.rows("rotDetector", 3, count, {0, 0, 0});
  const auto axis_shift = json.rows("COR", 1, count, {0});
  std::vector<Pose> poses;
  for (std::size_t v = 0; v < count; ++v) {
    for (const double angle : angles[v]) largest_angle = std::max(largest_angle, std::abs(angle));
    const double alpha = angles[v][0], theta = width == 3 ? angles[v][1] : 0, psi = width == 3 ? angles[v][2] : 0;
    if (!(dso[v][0] > 0) || !(dsd[v][0] > dso[v][0]))
      json.refuse("DSD", "0 < DSO < DSD", std::to_string(dso[v][0]) + " and " + std::to_string(dsd[v][0]));
    const auto scan = [&](Vec3d p) { return about_z(alpha) * (about_y(theta) * (about_z(psi) * p)); };
    const auto detector = [&](Vec3d p) {
      return about_z(turned[v][0]) * (about_y(turned[v][1]) * (about_x(turned[v][2]) * p));
    };
    const Vec3d shift = Vec3d{-std::sin(alpha), std::cos(alpha), 0} * axis_shift[v][0];
    Pose pose;
    pose.source_mm = (scan({dso[v][0], 0, 0}) + shift) * mm;
    pose.detector_center_mm = (scan({dso[v][0] - dsd[v][0], offset[v][1], offset[v][0]}) + shift) * mm;
    pose.detector_u = scan(detector({0, 1, 0}));
    pose.detector_v = scan(detector({0, 0, 1}));
    poses.push_back(pose);
  }
  return poses;
}

}  // namespace

ImportedCase import_tigre(const std::filesystem::path& geometry, const std::filesystem::path& projections,
                          const TigreImportOptions& options) try {
  const double mm = options.unit_mm;
  require_field(is_length(mm), "unit_mm", "1e-6 to 1e9 mm", mm);
  const JsonFields json(geometry);
  return with_host_memory([&] {
    if (json.has("mode") && json.text("mode") != "cone") json.refuse("mode", "\"cone\"", '"' + json.text("mode") + '"');
    ImportedCase imported;
    Acquisition& a = imported.acquisition;
    a.name = geometry.string();
    FileSays says;
    says.names = {"angles", "DSO", "DSD", "dDetector or sDetector", ""};
    a.poses = tigre_poses(json, mm, says.largest_angle_rad);
    const std::vector<int> pixels = json.sides("nDetector", 2);
    const std::vector<double> pitch = element_sizes(json, "dDetector", "sDetector", pixels, "nDetector");
    read_projection_stack(projections, true, a);
    if (a.detector.height_px != pixels[0] || a.detector.width_px != pixels[1])
      throw BadInput(projections.string(), "shape",
                     std::to_string(pixels[0]) + " rows and " + std::to_string(pixels[1]) + " columns, as nDetector",
                     std::to_string(a.detector.height_px) + " and " + std::to_string(a.detector.width_px));
    a.detector.pitch_u_mm = pitch[1] * mm;
    a.detector.pitch_v_mm = pitch[0] * mm;
    says.has_volume = json.has("nVoxel");
    if (says.has_volume) {
      says.names.volume = "nVoxel, dVoxel or sVoxel, offOrigin";
      const std::vector<int> voxels = json.sides("nVoxel", 3);
      const std::vector<double> size = element_sizes(json, "dVoxel", "sVoxel", voxels, "nVoxel");
      std::vector<double> center{0, 0, 0};
      const auto centers = json.rows("offOrigin", 3, a.poses.size(), center);
      for (const auto& row : centers)
        if (row != centers.front()) json.refuse("offOrigin", "one for all views", "several");
      center = centers.front();
      a.volume = {voxels[2], voxels[1], voxels[0], {size[2] * mm, size[1] * mm, size[0] * mm}, {}};
      a.volume.origin_mm = Vec3d{center[2], center[1], center[0]} * mm - a.volume.extent_mm() * 0.5;
    }
    finish_import(imported, options, says);
    return imported;
  });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
