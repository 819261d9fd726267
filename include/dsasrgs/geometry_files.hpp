// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Poses for the Reconstruction Toolkit (RTK, openrtk.org). Files are there whole or not at all.

#include <filesystem>
#include <span>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// Parameters of one projection in RTK's words (rtk::ThreeDCircularProjectionGeometry), mm and degrees, in the frame
/// that RTK expects a patient in (IEC 61217): x_rtk = x, y_rtk = z, z_rtk = −y, so that the C-arm turns about RTK's y.
/// RTK's detector is right-handed as seen from the source: `flips_rows` says that its v axis is −detector_v, so that
/// RTK's rows run from the last of ours to the first.
struct RtkProjection {
  double gantry_deg = 0, out_of_plane_deg = 0, in_plane_deg = 0;
  double source_to_isocenter_mm = 0, source_to_detector_mm = 0;
  double source_offset_x_mm = 0, source_offset_y_mm = 0;
  double projection_offset_x_mm = 0, projection_offset_y_mm = 0;
  double matrix[3][4] = {};  ///< RTK's world to the detector in mm, from the isocentre's foot; homogeneous
  bool flips_rows = false;
};
/// Any pose has such parameters; angles lie in [0, 360), where two of them are only known together (the ray along RTK's
/// y) the gantry's is 0. Throws InvalidArgument unless the detector's axes are unit and orthogonal to 1e-4, and the
/// source is off the detector.
RtkProjection rtk_projection(const Pose&);

/// Writes the geometry file of RTK, version 3, that holds rtk_projection of each pose. Throws InvalidArgument for none,
/// and where some poses flip rows and others do not: a stack of projections has one order; IoError.
void write_rtk_geometry(const std::filesystem::path&, std::span<const Pose>);
/// Writes an acquisition's line integrals as the MetaImage (.mha) that goes with write_rtk_geometry: [V,H,W], rows in
/// RTK's order, the detector's middle at (0, 0) mm, spacing (pitch_u, pitch_v, 1). Errors as write_rtk_geometry and
/// write_metaimage.
void write_rtk_projections(const std::filesystem::path&, const Acquisition&);

}  // namespace dsasrgs
