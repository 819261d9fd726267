#pragma once
/// @file
/// Acquisitions from other programs' files. What an importer finds comes back in words beside the acquisition, and what
/// it assumes or finds implausible as warnings. Errors of all of them: IoError when the system refuses, BadInput (file,
/// field, expected, found) when the content is not what its format asks for, OutOfMemory when it does not fit,
/// BackendUnavailable where the build lacks the library for a format. The acquisition is validated.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// What an importer made, and what is to be known about it.
struct ImportedCase {
  Acquisition acquisition;
  /// Lines "what: value" for a reader: views, detector, angles in degrees, distances, times, volume, line integrals.
  std::vector<std::string> found;
  /// One line each: what the files do not say and was assumed, and what is implausible (plausibility.hpp).
  std::vector<std::string> warnings;
};

/// What many formats do not say.
struct ImportOptions {
  /// Region to reconstruct; empty: the file's own, else a box about the isocentre (box_in_view).
  std::optional<VolumeGrid> volume;
  /// Seconds from the first view to the last, evenly spaced, where the files hold no times; empty: what the importer
  /// says.
  std::optional<double> duration_s;
  /// This many evenly spaced training views, the others for testing; empty: the files' own split, or none.
  std::optional<int> num_train_views;
};

/// The box about the isocentre that every view sees: its half sides along x and y are the radius of the cylinder about
/// z whose shadow lies within the detector's columns, the one along z that of the sphere within its rows, in every
/// view; of a detector that is shifted along its rows (half fan) the wider side counts. Cubic voxels of a pixel's size
/// at the isocentre, or larger ones, so that no side has more than 256. Throws InvalidArgument without poses, or where
/// a view does not see the isocentre.
VolumeGrid box_in_view(const Detector&, const std::vector<Pose>&);

/// How grey values of pictures become line integrals.
struct GreyValues {
  /// True: counts, line integral = ln(mask) − ln(grey); the mask is a picture (column `mask`) or one number, `white`.
  /// False: line integral = slope · grey + intercept.
  bool intensity = false;
  double slope = 1, intercept = 0;
  std::optional<double> white;  ///< counts without anything in the beam, where there are no mask pictures
};

/// Pictures with a table of their poses.
struct ImageImportOptions : ImportOptions {
  double pitch_u_mm = 0, pitch_v_mm = 0;  ///< pixel pitch at the detector, along rows and columns
  std::optional<double> sod_mm, sdd_mm;   ///< where the table has no columns for them
  GreyValues grey;
};

/// Reads pictures (.png; .tif and .tiff: one channel of 8 or 16 bits or float32, first page) that lie in `folder`, row
/// 0 on top, and `table`, a CSV (between commas, semicolons or tabs) whose first line names the columns. `file` is a
/// picture's path below the folder; `time_s` is optional, and so is `mask`, a picture. Poses are either those of
/// carm_pose: `primary_deg`, and optionally `secondary_deg`, `sod_mm`, `sdd_mm`, `offset_u_mm`, `offset_v_mm`; or free:
/// `source_x_mm`, …, `center_x_mm`, …, `u_x`, …, `v_x`, … with y and z. Views are put in the order of their times;
/// without times all are of 0 s, or over `duration_s`.
ImportedCase import_images(const std::filesystem::path& folder, const std::filesystem::path& table,
                           const ImageImportOptions&);

}  // namespace dsasrgs
