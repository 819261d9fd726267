// SPDX-License-Identifier: Apache-2.0
#include "import/circular_scan.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

/// [x,y,z] in 1/unit as [z,y,x] in 1/mm.
std::vector<float> turned_volume(const std::vector<float>& xyz, const std::array<int, 3>& size, double unit_mm) {
  std::vector<float> zyx(xyz.size());
  const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]),
             nz = static_cast<std::size_t>(size[2]);
  for (std::size_t x = 0; x < nx; ++x)
    for (std::size_t y = 0; y < ny; ++y)
      for (std::size_t z = 0; z < nz; ++z)
        zyx[(z * ny + y) * nx + x] = static_cast<float>(xyz[(x * ny + y) * nz + z] / unit_mm);
  return zyx;
}

}  // namespace

ImportedCase circular_case(const std::string& name, CircularScan&& scan, const ImportOptions& options) {
  ImportedCase imported;
  Acquisition& a = imported.acquisition;
  a.name = name;
  const double mm = scan.unit_mm;
  a.detector = {scan.detector_size[1], scan.detector_size[0], scan.detector_pitch[1] * mm, scan.detector_pitch[0] * mm};
  a.volume = {scan.volume_size[0],
              scan.volume_size[1],
              scan.volume_size[2],
              {scan.volume_spacing[0] * mm, scan.volume_spacing[1] * mm, scan.volume_spacing[2] * mm},
              {}};
  a.volume.origin_mm =
      Vec3d{scan.volume_center[0], scan.volume_center[1], scan.volume_center[2]} * mm - a.volume.extent_mm() * 0.5;
  if (!(scan.dso > 0) || !(scan.dsd > scan.dso))
    throw BadInput(name, "DSD", "0 < DSO < DSD", plain_number(scan.dso) + " and " + plain_number(scan.dsd));
  double largest_angle = 0;
  for (const double angle : scan.angle_rad) {
    largest_angle = std::max(largest_angle, std::abs(angle));
    CArmView view;
    view.sod_mm = scan.dso * mm;
    view.sdd_mm = scan.dsd * mm;
    view.primary_rad = std::remainder(angle, 2 * std::numbers::pi);
    view.offset_u_mm = scan.detector_offset[0] * mm;
    view.offset_v_mm = -scan.detector_offset[1] * mm;  // rows grow towards -z
    a.poses.push_back(carm_pose(view, 0));
  }
  a.projections = std::move(scan.projections);
  std::vector<std::size_t> order(scan.angle_rad.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t v, std::size_t w) { return scan.angle_rad[v] < scan.angle_rad[w]; });
  reorder_views(a, order);
  for (std::size_t v = 0; v < order.size(); ++v)
    (scan.is_test[order[v]] ? a.test_views : a.train_views).push_back(static_cast<int>(v));
  if (a.test_views.empty()) a.train_views.clear();
  if (!scan.volume.empty()) a.reference_volume = {turned_volume(scan.volume, scan.volume_size, mm), {}};
  imported.found.push_back("length unit of the files: " + range_text(mm, mm) + " mm");
  if (scan.detector_offset[1] != 0)
    imported.warnings.push_back(name + ": offDetector: expected 0 along the axis, found " +
                                std::to_string(scan.detector_offset[1]) +
                                ": taken towards +z as TIGRE does; NAF's own loader takes it towards -z");
  finish_import(imported, options,
                {false,
                 true,
                 0,
                 largest_angle,
                 {"angles", "DSO", "DSD", "dDetector or sDetector", "nVoxel, dVoxel or sVoxel, offOrigin"}});
  return imported;
}

}  // namespace dsasrgs
