// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Acquisitions from other programs' files. What an importer finds comes back in words beside the acquisition, and what
/// it assumes or finds implausible as warnings. Errors of all of them: IoError when the system refuses, BadInput (file,
/// field, expected, found) when the content is not what its format asks for, OutOfMemory when it does not fit,
/// BackendUnavailable where the build lacks the library for a format. The acquisition is validated.
/// Messages name the options as options.NAME, and DICOM tags given by hand as tags.NAME.

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
  /// [V,H,W] ln(mask) as MaskedAcquisition has it, where the importer was asked for it
  /// (DicomImportOptions::keep_masks).
  std::vector<float> log_masks;
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
  double slope = 1, intercept = 0;  ///< of grey values that are no counts
  std::optional<double> white;      ///< counts without anything in the beam, where there are no mask pictures
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

/// Of import_4drgs.
struct FourDrgsImportOptions : ImportOptions {
  /// Take the frames' SecondaryAngle, with the sign that 4DRGS has for it (b = −SecondaryAngle); 4DRGS itself reads 0.
  bool secondary_angles = false;
};

/// Reads a folder of 4DRGS (arXiv 2412.12919): transforms.json (angles in rad, lengths in mm) and mask_run.nii.gz and
/// fill_run.nii.gz, counts [N,H,W], or without them DSA.nii.gz, which 4DRGS clips at 0. Source at
/// sad·(cos b cos a, cos b sin a, sin b), a = PrimaryAngle, as carm_pose; the volume is centred on the isocentre. Its
/// frames have no times: 5 s from first to last unless the options say another.
ImportedCase import_4drgs(const std::filesystem::path& folder, const FourDrgsImportOptions& = {});

/// Of import_r2_gaussian.
struct R2GaussianImportOptions : ImportOptions {
  double unit_mm = 1000;  ///< what its lengths are in: its converter to NAF's format takes them for metres
};

/// Reads a folder of R²-Gaussian (arXiv 2405.20693): meta_data.json, a .npy [H,W] for each view and the volume [x,y,z],
/// in 1/unit, which becomes the reference. R²-Gaussian multiplies lengths and projections by 2/max(sVoxel) as it loads
/// them; the files are not scaled, and line integrals have no unit. Source at DSO·(cos a, sin a, 0), rows towards −z;
/// offDetector as TIGRE, which made the projections, takes it. proj_train and proj_test are the split; views are put in
/// the order of their angles, all at 0 s (a still object) unless a duration is given.
ImportedCase import_r2_gaussian(const std::filesystem::path& folder, const R2GaussianImportOptions& = {});

/// Reads a pickle of NAF (arXiv 2209.14540), without running anything in it: only numbers, texts, lists, dictionaries
/// and NumPy's arrays are known. Lengths are in mm, the volume `image` [x,y,z] in 1/m; the rest as import_r2_gaussian.
ImportedCase import_naf(const std::filesystem::path& pickle, const ImportOptions& = {});

/// Of import_rtk.
struct RtkImportOptions : ImportOptions {
  std::optional<double> white;  ///< counts without anything in the beam, where the stack holds counts
};

/// Reads RTK's geometry (RTKThreeDCircularGeometry, versions 2 and 3, flat detector) and its projections, a MetaImage
/// [N,H,W] (.mha, .mhd) whose origin, spacing and direction place the pixels on the detector. RTK's axes are IEC
/// 61217's (x to the patient's left, y to the head, z up, rotation about y); they become ours by (x, y, z) → (x, −z,
/// y), so that of a patient lying on the back x points left, y to the back and z to the head. Matrices in the file are
/// held against its parameters. All views are of 0 s unless a duration is given.
ImportedCase import_rtk(const std::filesystem::path& geometry, const std::filesystem::path& projections,
                        const RtkImportOptions& = {});

/// Of import_tigre.
struct TigreImportOptions : ImportOptions {
  double unit_mm = 1;  ///< what its lengths are in
};

/// Reads a geometry of TIGRE in JSON, with the names and orders of its Python class (DSD, DSO, nDetector (v, u),
/// dDetector or sDetector, offDetector, rotDetector, COR, nVoxel (z, y, x), dVoxel or sVoxel, offOrigin, and angles [N]
/// or [N,3]), and its projections, a .npy [N,H,W], rows towards +z. All views are of 0 s unless a duration is given.
ImportedCase import_tigre(const std::filesystem::path& geometry, const std::filesystem::path& projections,
                          const TigreImportOptions& = {});

/// Of import_astra.
struct AstraImportOptions : ImportOptions {
  double unit_mm = 1;        ///< what its lengths are in
  bool views_first = false;  ///< the array is [N,H,W]; else as ASTRA keeps it, [H,N,W]
};

/// Reads vectors of ASTRA's `cone_vec` (source, detector's centre, from pixel (0,0) to (0,1), to (1,0); [N,12], a .npy
/// or text) and its projections, a .npy. All views are of 0 s unless a duration is given.
ImportedCase import_astra(const std::filesystem::path& vectors, const std::filesystem::path& projections,
                          const AstraImportOptions& = {});

}  // namespace dsasrgs
