// SPDX-License-Identifier: Apache-2.0
// RTK: a geometry and a stack of projections.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "import/imported_case.hpp"
#include "import/meta_image.hpp"
#include "import/rtk_geometry.hpp"

namespace dsasrgs {

namespace {

/// Pixels of the stack on the detector of each view: index (i, j) is centred at origin + i·step_u + j·step_v of the
/// projection's own coordinates.
void place_detector(const std::string& name, const MetaImage& stack, const std::vector<RtkView>& views,
                    Acquisition& a) {
  const auto& d = stack.direction;
  if (std::abs(d[0][2]) > kAxisTolerance || std::abs(d[1][2]) > kAxisTolerance)
    throw BadInput(name, "TransformMatrix", "rows and columns within the plane of the detector", "others");
  a.detector = {static_cast<int>(stack.image.shape[2]), static_cast<int>(stack.image.shape[1]), stack.spacing[0],
                stack.spacing[1]};
  const double across = 0.5 * (a.detector.width_px - 1) * stack.spacing[0],
               along = 0.5 * (a.detector.height_px - 1) * stack.spacing[1];
  const double x = stack.origin[0] + across * d[0][0] + along * d[1][0],
               y = stack.origin[1] + across * d[0][1] + along * d[1][1];
  for (const RtkView& view : views)
    a.poses.push_back({view.source_mm, view.detector_origin_mm + view.u * x + view.v * y,
                       view.u * d[0][0] + view.v * d[0][1], view.u * d[1][0] + view.v * d[1][1], 0});
}

}  // namespace

ImportedCase import_rtk(const std::filesystem::path& geometry, const std::filesystem::path& projections,
                        const RtkImportOptions& options) try {
  if (options.white)
    require_field(*options.white > 0 && std::isfinite(*options.white), "white", "positive counts", *options.white);
  return with_host_memory([&] {
    ImportedCase imported;
    Acquisition& a = imported.acquisition;
    a.name = geometry.string();
    const std::vector<RtkView> views = read_rtk_geometry(geometry, imported.warnings);
    MetaImage stack = read_meta_image(projections);
    if (stack.image.shape[0] != views.size())
      throw BadInput(projections.string(), "DimSize", std::to_string(views.size()) + " projections, as the geometry",
                     std::to_string(stack.image.shape[0]));
    place_detector(projections.string(), stack, views, a);
    a.projections = std::move(stack.image.values);
    if (options.white) {
      const std::vector<float> white(a.projections.size(), static_cast<float>(*options.white));
      a.valid.resize(a.projections.size());
      if (subtract_counts(white.data(), a.projections.data(), white.size(), a.projections.data(), a.valid.data()) == 0)
        a.valid.clear();
    }
    FileSays says;
    says.names = {"GantryAngle, OutOfPlaneAngle", "SourceToIsocenterDistance", "SourceToDetectorDistance",
                  "the stack's ElementSpacing", ""};
    for (const RtkView& view : views) says.largest_angle_rad = std::max(says.largest_angle_rad, view.largest_angle_rad);
    finish_import(imported, options, says);
    return imported;
  });
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
