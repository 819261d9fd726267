// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Acquisitions from DICOM X-ray angiography (XA, RF, Enhanced XA and XRF), read by DCMTK. World of what comes out:
/// patient LPS (+x left, +y posterior, +z head), millimetres, isocentre at the origin. Section numbers are those of
/// DICOM PS3.3; docs/guides/bring-your-own-dicom.md draws axes, angles and signs. Nothing that names or describes a
/// patient is copied.

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dsasrgs/export.hpp"
#include "dsasrgs/import.hpp"
#include "dsasrgs/math.hpp"

namespace DSASRGS_API dsasrgs {

/// How stored values follow the X-ray intensity: Pixel Intensity Relationship (0028,1040).
enum class DicomIntensity {
  linear,       ///< LIN: the logarithm is taken
  logarithmic,  ///< LOG: values are subtracted as they are
};

/// What tags would say, given by hand; what is given here counts instead of the file's. Units are those of the tags.
struct DicomTags {
  std::optional<double> sod_mm;         ///< source to isocentre: (0018,1111), Enhanced XA (0018,9402)
  std::optional<double> sdd_mm;         ///< source to detector: (0018,1110)
  std::optional<double> primary_deg;    ///< (0018,1510), RAO to LAO, of the first frame
  std::optional<double> secondary_deg;  ///< (0018,1511), CAU to CRA, of the first frame
  /// (0018,1520), (0018,1521): one value is the step from frame to frame; one per frame, its offset from the first
  /// angle.
  std::vector<double> primary_increment_deg, secondary_increment_deg;
  std::optional<Vec2d> pixel_spacing_mm;  ///< (0018,1164) between rows (y) and between columns (x), at the detector
  std::optional<double> frame_time_ms;    ///< (0018,1063)
  std::optional<double> start_s;          ///< when the first frame was taken, on one clock for all files
  std::optional<DicomIntensity> relationship;  ///< (0028,1040)
  std::optional<int> sign;                     ///< (0028,1041): 1 or −1, where lower values mean more intensity
  /// What a difference of one (after a rescale slope) in logarithmic values is as a line integral.
  std::optional<double> log_scale;
  std::vector<int> mask_frames;        ///< frames, from 1, of which the average is the mask: AVG_SUB
  std::optional<Vec2d> mask_shift_px;  ///< the mask's shift before it is subtracted: x columns right, y rows down
  std::optional<Vec3d> table_mm;       ///< how far the patient lies from where the isocentre is the origin, LPS
  std::optional<Vec2d> isocenter_px;   ///< where the isocentre is projected: x columns, y rows, from the image's corner
  std::optional<bool> mirror_columns;  ///< columns run from patient's left to right where the primary angle is 0
  std::optional<bool> mirror_rows;     ///< rows run from feet to head
  std::optional<double> saturation;    ///< stored values from which on a linear pixel does not count
};

/// What line integrals are told from.
enum class DicomSubtraction {
  mask,        ///< a mask: that of the options, else of the file's Mask Module (C.7.6.10); without one, BadInput
  background,  ///< each frame's own median: images that are subtracted already, or show a phantom in air
};

/// Of import_dicom.
struct DicomImportOptions : ImportOptions {
  DicomTags tags;                            ///< of all files
  std::map<std::string, DicomTags> tags_of;  ///< of single files, by file name, beside `tags`
  DicomSubtraction subtraction = DicomSubtraction::mask;
  /// A run without contrast. With as many frames as the file, frame by frame; with one, that; else the frame whose
  /// angles are nearest.
  std::optional<std::filesystem::path> mask_run;
  int first_frame = 1;            ///< frames before it are left out
  std::optional<int> last_frame;  ///< frames after it are left out
  bool average_frames = false;    ///< one view per file, the mean of its frames: for what does not move
  int bin = 1;                    ///< pixels of bin × bin stored ones
  /// ImportedCase::log_masks are kept, with which align_masks (mask_alignment.hpp) moves each view's mask: those of
  /// DicomSubtraction::mask, averaged and shifted as they are subtracted, of averaged frames their mean. Of LOG values
  /// they are these, in units of line integrals.
  bool keep_masks = false;
  bool linear_only = false;  ///< BadInput for files whose values are logarithms: as they are for intensities_of
  std::stop_token stop;      ///< asks for an early end: Cancelled
};

/// Reads files, or all DICOM files of a folder, as one acquisition: a rotational run, or views that are a file each.
/// Each frame is a view; views are put in the order of their times. Line integrals follow the mask module, the pixel
/// intensity relationship, and the modality LUT; shutters, collimators, overlays and burnt-in text become `valid`.
/// Throws BadInput naming the tag where one that is needed is missing and not given by hand, and BackendUnavailable in
/// a build without DCMTK. DCMTK is not proof against every crafted file: after read_files_through (file_reading.hpp)
/// files are read by a child process, and without, on a thread of their own in this one, where DCMTK's log is turned
/// off.
ImportedCase import_dicom(const std::vector<std::filesystem::path>& sources, const DicomImportOptions&);

}  // namespace dsasrgs
