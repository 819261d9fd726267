// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one DICOM file says, free of DCMTK.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/import_dicom.hpp"

namespace dsasrgs {

/// One item of the Mask Subtraction Sequence (C.7.6.10). Frames are counted from 1.
struct DicomMask {
  enum class Operation { average, difference, reversed_difference };  // AVG_SUB, TID, REV_TID
  Operation operation = Operation::average;
  std::vector<std::array<int, 2>> ranges;  ///< frames it is for, both ends included; empty: as C.7.6.10.1.1 says
  std::vector<int> mask_frames;            ///< of an average
  int contrast_averaging = 1;              ///< frames from the contrast frame on that are averaged
  int offset = 1;                          ///< of a difference: TID Offset
  Vec2d shift_px;                          ///< of the mask: x columns right, y rows down
  std::optional<int> id;                   ///< Subtraction Item ID, by which frames name shifts of their own
  bool by_hand = false;                    ///< mask_frames were given by hand
};

/// What hides pixels (C.7.6.11, C.8.7.3): all but what lies within every shape. Rows and columns are counted from 1.
struct DicomShutter {
  std::optional<std::array<double, 4>> edges;   ///< left, right, upper, lower: the last that are hidden
  std::optional<std::array<double, 3>> circle;  ///< row, column, radius
  std::vector<double> polygon;                  ///< row, column, row, column, …

  bool is_empty() const { return !edges && !circle && polygon.empty(); }
  bool operator==(const DicomShutter&) const = default;
};

/// What lengths and angles of a frame may be: carm_pose takes two turns, and a quarter is added (pose_of).
inline constexpr double kMostDicomLength_mm = 1e5, kMostDicomAngle_deg = 540;

struct DicomFrame {
  double sod_mm = 0, sdd_mm = 0, primary_deg = 0, secondary_deg = 0;
  Vec2d isocenter_px;  ///< where it is projected, from the corner of the stored image
  double time_s = 0;   ///< since the first frame
  std::vector<DicomShutter> shutters;
  std::vector<std::pair<int, Vec2d>> mask_shifts;  ///< its own, by DicomMask::id, instead of the mask's
};

/// How much a file says that it holds.
struct DicomExtents {
  int rows = 0, columns = 0, frames = 0;

  /// Whether there can be so many pixels: no codec that DCMTK reads makes more of a byte (baseline JPEG: 64 of two
  /// bits).
  bool can_be_in(std::size_t file_bytes) const {
    constexpr double kMostPixelsOfByte = 1024;
    return rows >= 1 && columns >= 1 && frames >= 1 && rows <= kMostSide && columns <= kMostSide &&
           frames <= kMostFrames &&
           static_cast<double>(rows) * columns * frames <= kMostPixelsOfByte * static_cast<double>(file_bytes);
  }
  static constexpr int kMostSide = 65535, kMostFrames = 1 << 20;
};

/// A run: one file. `values` are on pixels of bin × bin stored ones; `frames`, spacings and pixel positions on stored
/// ones.
struct DicomRun {
  std::string name;  ///< for messages
  int rows = 0, columns = 0;
  Vec2d pixel_spacing_mm;  ///< x between columns, y between rows
  std::vector<DicomFrame> frames;
  std::optional<double> start_s;  ///< of the first frame, on a clock that files share
  int instance = 0;               ///< Instance Number
  std::string uid;                ///< SOP Instance UID: two files that have one are copies
  std::vector<DicomMask> masks;
  Vec3d table_mm;
  bool mirror_columns = false, mirror_rows = false;
  std::vector<double> table_tags;  ///< the maker's own position of the table: vertical, longitudinal, lateral

  int bin = 1;
  DicomIntensity intensity = DicomIntensity::linear;
  bool has_scale = true;  ///< false: logarithms whose unit nothing tells
  /// [F,H,W] counts, or logarithms of counts in units of line integrals; NaN: does not count.
  std::vector<float> values;
  /// [H,W] zero where every frame's pixel is hidden by more than shutters: burnt-in text, defective pixels.
  std::vector<std::uint8_t> valid;
  std::vector<std::string> found, warnings;

  int width() const { return columns / bin; }
  int height() const { return rows / bin; }
  std::size_t num_pixels() const { return static_cast<std::size_t>(width()) * static_cast<std::size_t>(height()); }
  std::span<const float> frame(int f) const {
    return std::span<const float>(values).subspan(static_cast<std::size_t>(f) * num_pixels(), num_pixels());
  }
};

/// Reads a file, in this process or in a child (dsasrgs/file_reading.hpp). Throws as import_dicom does.
DicomRun read_dicom_run(const std::filesystem::path&, const DicomImportOptions&);

/// Whether the file begins as DICOM files do (PS3.10): "DICM" after 128 bytes.
bool is_dicom_file(const std::filesystem::path&);

/// Zeroes pixels [H,W] of bin × bin stored ones that a shutter hides, wholly or in part.
void hide_behind(const DicomShutter&, int bin, int width, std::span<std::uint8_t> valid);

/// What a view is made of; frames from 0.
struct SubtractedFrame {
  int frame = 0;
  std::vector<int> contrast, mask;  ///< frames that are averaged
  Vec2d mask_shift_px;              ///< stored pixels
};

/// Which frames are views, and what is subtracted from each. Masks themselves are none. Throws BadInput where a mask
/// names frames that are not there.
std::vector<SubtractedFrame> plan_subtraction(const DicomRun&);

/// The mean of the mask's frames of `masks`, shifted [H,W].
std::vector<float> mask_image(const DicomRun& masks, const SubtractedFrame&);

/// Line integrals ln(mask) − ln(fill) [H,W] of one view, and zeroes where they cannot be told in `valid` [H,W].
/// `mask` [H,W] is what mask_image made of `masks`, which may be the run itself; `log_mask` [H,W], or empty, becomes
/// its logarithm, 0 where a pixel is not valid.
void subtract_frames(const DicomRun&, const std::vector<int>& contrast, const DicomRun& masks,
                     std::span<const float> mask, std::span<float> line_integral, std::span<float> log_mask,
                     std::span<std::uint8_t> valid);

/// The same where the median of what is valid stands for the mask.
void subtract_background(const DicomRun&, int frame, std::span<float> line_integral, std::span<std::uint8_t> valid);

}  // namespace dsasrgs
