// SPDX-License-Identifier: Apache-2.0
// Where source, detector and pixels are (PS3.3 C.8.7.5, C.8.19.6).

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "import/dicom_parts.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

[[noreturn]] void refuse_missing(const DicomDataset& file, const DcmTagKey& tag, const char* by_hand) {
  file.refuse(tag, std::string("a value, or one by hand (tags.") + by_hand + ")", "no such tag");
}

double first_of(const std::vector<double>& numbers, double otherwise) {
  return numbers.empty() ? otherwise : numbers.front();
}

/// Throws BadInput about a value: by the name that it was given by hand with, else by the file's tag.
[[noreturn]] void refuse_value(const DicomDataset& file, const DcmTagKey& tag, const char* by_hand,
                               std::string_view expected, std::string_view found) {
  if (by_hand != nullptr) throw BadInput(file.name(), std::string("tags.") + by_hand, expected, found);
  file.refuse(tag, expected, found);
}

/// A length that the tag tells, or that was given by hand.
double length_of(const DicomDataset& file, const DcmTagKey& tag, const char* by_hand, double found) {
  if (!(found > 0) || found > kMostDicomLength_mm)
    refuse_value(file, tag, by_hand,
                 found > 0 ? "a length of at most " + plain_number(kMostDicomLength_mm) + " mm"
                           : std::string("a length in mm above 0"),
                 plain_number(found));
  return found;
}

void read_distances(const DicomDataset& file, const DicomTags& tags, std::size_t f, DicomRun& run) {
  DicomFrame& frame = run.frames[f];
  const auto told = [&](const DcmTagKey& tag) { return file.numbers_at(f, DCM_XRayGeometrySequence, tag); };
  const std::vector<double> sdd = told(DCM_DistanceSourceToDetector);
  if (!tags.sdd_mm && sdd.empty()) refuse_missing(file, DCM_DistanceSourceToDetector, "sdd_mm");
  frame.sdd_mm = length_of(file, DCM_DistanceSourceToDetector, tags.sdd_mm ? "sdd_mm" : nullptr,
                           tags.sdd_mm ? *tags.sdd_mm : sdd.front());
  DcmTagKey sod_tag = DCM_DistanceSourceToIsocenter;
  std::vector<double> sod = told(sod_tag);
  if (sod.empty()) sod = told(sod_tag = DCM_DistanceSourceToPatient);
  if (sod.empty() && !tags.sod_mm) {
    const std::vector<double> magnification = told(DCM_EstimatedRadiographicMagnificationFactor);
    if (magnification.empty() || !(magnification.front() > 1))
      refuse_missing(file, DCM_DistanceSourceToPatient, "sod_mm");
    sod.push_back(frame.sdd_mm / magnification.front());
    sod_tag = DCM_EstimatedRadiographicMagnificationFactor;
    if (f == 0)
      run.warnings.push_back(run.name + ": no distance from source to isocentre: " + rounded_text(sod.front()) +
                             " mm follows from " + tag_name(DCM_EstimatedRadiographicMagnificationFactor));
  }
  frame.sod_mm = length_of(file, sod_tag, tags.sod_mm ? "sod_mm" : nullptr, tags.sod_mm ? *tags.sod_mm : sod.front());
  if (!(frame.sdd_mm > frame.sod_mm))
    refuse_value(file, DCM_DistanceSourceToDetector, tags.sdd_mm ? "sdd_mm" : nullptr,
                 "more than the " + plain_number(frame.sod_mm) + " mm from source to isocentre" +
                     (tags.sod_mm ? " (tags.sod_mm)" : ", as " + tag_name(sod_tag) + " says"),
                 plain_number(frame.sdd_mm));
}

/// The magnification is the ratio of both distances: where it is not, one of the three is wrong.
void check_magnification(const DicomDataset& file, const DicomTags& tags, DicomRun& run) {
  constexpr double kRounding = 0.01;
  if (tags.sdd_mm || tags.sod_mm) return;
  for (std::size_t f = 0; f < run.frames.size(); ++f) {
    const double told =
        first_of(file.numbers_at(f, DCM_XRayGeometrySequence, DCM_EstimatedRadiographicMagnificationFactor), 0);
    const double ratio = run.frames[f].sdd_mm / run.frames[f].sod_mm;
    if (told == 0 || std::abs(told / ratio - 1) <= kRounding) continue;
    run.warnings.push_back(run.name + ": " + tag_name(DCM_EstimatedRadiographicMagnificationFactor) + " is " +
                           plain_number(told) + ": expected " + rounded_text(ratio) +
                           ", the ratio of the distances from the source, which are taken");
    return;
  }
}

/// Offsets from the first angle: none, a step, or one for each frame (C.8.7.5.1.3); and what says so.
struct AngleOffsets {
  std::vector<double> degrees;
  std::string told_by;
};

AngleOffsets angle_offsets(const DicomDataset& file, const DcmTagKey& tag, const char* name,
                           const std::vector<double>& by_hand, std::size_t num_frames) {
  const std::vector<double> told = by_hand.empty() ? file.numbers(file.root(), tag) : by_hand;
  AngleOffsets offsets{std::vector<double>(num_frames, 0),
                       by_hand.empty() ? tag_name(tag) : std::string("tags.") + name};
  if (told.empty()) return offsets;
  if (told.size() != 1 && told.size() != num_frames)
    refuse_value(file, tag, by_hand.empty() ? nullptr : name,
                 "one value or " + std::to_string(num_frames) + ", one for each frame", std::to_string(told.size()));
  for (std::size_t f = 0; f < num_frames; ++f)
    offsets.degrees[f] = told.size() == num_frames && num_frames > 1 ? told[f] : told.front() * static_cast<double>(f);
  return offsets;
}

void read_angle(const DicomDataset& file, const DcmTagKey& tag, std::optional<double> by_hand, const char* name,
                double most, const AngleOffsets& offsets, DicomRun& run, double DicomFrame::*angle) {
  for (std::size_t f = 0; f < run.frames.size(); ++f) {
    const std::vector<double> told = file.numbers_at(f, DCM_PositionerPositionSequence, tag);
    if (!by_hand && told.empty()) refuse_missing(file, tag, name);
    const double first = by_hand ? *by_hand : told.front(), degrees = first + offsets.degrees[f];
    const auto is_angle = [](double d) { return std::isfinite(d) && std::abs(d) <= kMostDicomAngle_deg; };
    const char* const expected = "an angle in degrees within a turn and a half";
    if (!is_angle(first)) refuse_value(file, tag, by_hand ? name : nullptr, expected, plain_number(first));
    if (!is_angle(degrees))
      throw BadInput(file.name(), offsets.told_by, expected,
                     plain_number(degrees) + " for frame " + std::to_string(f + 1));
    run.frames[f].*angle = degrees;
    if (f > 0 || !(std::abs(degrees) > most)) continue;
    run.warnings.push_back(run.name + ": " + (by_hand ? std::string("tags.") + name : tag_name(tag)) + " is " +
                           plain_number(degrees) + " degrees: expected -" + plain_number(most) + " to " +
                           plain_number(most) + " (PS3.3 C.8.7.5.1.2)");
  }
}

/// Sides of a pixel, and which tag tells them.
std::pair<Vec2d, DcmTagKey> told_spacing(const DicomDataset& file, std::size_t f, DicomRun& run) {
  const std::vector<double> spacing = file.numbers_at(f, DCM_FramePixelDataPropertiesSequence, DCM_ImagerPixelSpacing);
  if (spacing.size() == 2) return {{spacing[1], spacing[0]}, DCM_ImagerPixelSpacing};  // between rows first
  if (!spacing.empty()) file.refuse(DCM_ImagerPixelSpacing, "two values", std::to_string(spacing.size()));
  DcmTagKey field_tag = DCM_FieldOfViewDimensionsInFloat;
  std::vector<double> field = file.numbers_at(f, DCM_FieldOfViewSequence, field_tag);
  if (field.empty()) field = file.numbers_at(f, DCM_FieldOfViewSequence, field_tag = DCM_FieldOfViewDimensions);
  // Of a square field it does not matter which side is named first.
  if (field.empty() || field.front() != field.back() || run.rows != run.columns)
    refuse_missing(file, DCM_ImagerPixelSpacing, "pixel_spacing_mm");
  const double pitch = field.front() / run.columns;
  if (f == 0)
    run.warnings.push_back(run.name + ": no " + tag_name(DCM_ImagerPixelSpacing) + ": " + rounded_text(pitch) +
                           " mm follows from " + tag_name(field_tag) + ", " + plain_number(field.front()) + " mm for " +
                           std::to_string(run.columns) + " pixels");
  return {{pitch, pitch}, field_tag};
}

void read_spacing(const DicomDataset& file, const DicomTags& tags, DicomRun& run) {
  const std::size_t told = file.is_per_frame(DCM_FramePixelDataPropertiesSequence) ? run.frames.size() : 1;
  for (std::size_t f = 0; f < told; ++f) {
    const auto [spacing, tag] =
        tags.pixel_spacing_mm ? std::pair{*tags.pixel_spacing_mm, DCM_ImagerPixelSpacing} : told_spacing(file, f, run);
    const char* const by_hand = tags.pixel_spacing_mm ? "pixel_spacing_mm" : nullptr;
    length_of(file, tag, by_hand, spacing.x);
    length_of(file, tag, by_hand, spacing.y);
    if (f > 0 && (spacing.x != run.pixel_spacing_mm.x || spacing.y != run.pixel_spacing_mm.y))
      file.refuse(tag, "the same for all frames", "another for frame " + std::to_string(f + 1));
    run.pixel_spacing_mm = spacing;
  }
}

/// Enhanced XA says it in detector elements (0018,9430); the field of view begins at one of them.
Vec2d isocenter_of(const DicomDataset& file, const DicomTags& tags, std::size_t f, DicomRun& run) {
  if (tags.isocenter_px) return *tags.isocenter_px;
  const Vec2d center{0.5 * run.columns, 0.5 * run.rows};
  const std::vector<double> projected = file.numbers(file.root(), DCM_PositionOfIsocenterProjection);
  if (projected.size() != 2) return center;
  const auto field = [&](const DcmTagKey& tag) { return file.numbers_at(f, DCM_FieldOfViewSequence, tag); };
  const std::vector<double> origin = field(DCM_FieldOfViewOrigin),
                            element = file.numbers(file.root(), DCM_DetectorElementSpacing);
  const bool upright = first_of(field(DCM_FieldOfViewRotation), 0) == 0 &&
                       file.text_at(f, DCM_FieldOfViewSequence, DCM_FieldOfViewHorizontalFlip) != "YES";
  if (origin.size() != 2 || element.size() != 2 || !upright) {
    if (f == 0)
      run.warnings.push_back(
          run.name + ": " + tag_name(DCM_PositionOfIsocenterProjection) +
          " cannot be followed without an upright field of view, its origin and the detector "
          "elements' spacing: the isocentre is taken to be in the middle (tags.isocenter_px gives it)");
    return center;
  }
  return {(projected[1] - origin[1]) * element[1] / run.pixel_spacing_mm.x,
          (projected[0] - origin[0]) * element[0] / run.pixel_spacing_mm.y};
}

/// The maker's table position, GE: vertical, longitudinal, lateral.
std::vector<double> table_of_ge(const DicomDataset& file) {
  constexpr Uint16 kGroup = 0x0019;
  for (Uint16 block = 0x10; block <= 0xff; ++block) {
    if (file.text(file.root(), DcmTagKey(kGroup, block)) != "DLX_SERIE_01") continue;
    std::vector<double> position;
    for (Uint16 element = 0x21; element <= 0x23; ++element) {
      const auto number = static_cast<Uint16>(block << 8 | element);
      position.push_back(file.number(file.root(), DcmTagKey(kGroup, number)).value_or(0));
    }
    return position;
  }
  return {};
}

void warn_of_the_rest(const DicomDataset& file, DicomRun& run) {
  const auto warn = [&](const DcmTagKey& tag, const std::string& found, const char* what) {
    run.warnings.push_back(run.name + ": " + tag_name(tag) + " is " + found + ": " + what);
  };
  for (const DcmTagKey& tag : {DCM_DetectorPrimaryAngle, DCM_DetectorSecondaryAngle})
    if (const double angle = file.number(file.root(), tag).value_or(0); angle != 0)
      warn(tag, plain_number(angle), "a tilted detector is not followed");
  for (const DcmTagKey& tag : {DCM_TableVerticalIncrement, DCM_TableLateralIncrement, DCM_TableLongitudinalIncrement})
    for (const double step : file.numbers(file.root(), tag))
      if (step != 0) {
        warn(tag, plain_number(step), "a table that moves during the run is not followed");
        break;
      }
  const std::string position = file.text(file.root(), DCM_PatientPosition);
  if (!position.empty() && position != "HFS")
    warn(DCM_PatientPosition, position, "axes were held against images of patients lying HFS only");
  if (const double turned = first_of(file.numbers_at(0, DCM_FieldOfViewSequence, DCM_FieldOfViewRotation), 0);
      turned != 0)
    warn(DCM_FieldOfViewRotation, plain_number(turned),
         "rows are taken to run towards the patient's left and columns towards the feet all the same");
  const std::string row_runs = file.text(file.root(), DCM_PatientOrientation);
  if (row_runs.starts_with('R') && std::abs(run.frames.front().primary_deg) < 45)
    warn(DCM_PatientOrientation, row_runs, "rows run towards the patient's right: give tags.mirror_columns by hand");
}

}  // namespace

void read_geometry(const DicomDataset& file, const DicomTags& tags, DicomRun& run) {
  read_spacing(file, tags, run);
  for (std::size_t f = 0; f < run.frames.size(); ++f) {
    read_distances(file, tags, f, run);
    run.frames[f].isocenter_px = isocenter_of(file, tags, f, run);
  }
  check_magnification(file, tags, run);
  const auto offsets = [&](const DcmTagKey& tag, const char* name, const std::vector<double>& by_hand) {
    return angle_offsets(file, tag, name, by_hand, run.frames.size());
  };
  constexpr double kMostPrimary = 180, kMostSecondary = 90;
  read_angle(file, DCM_PositionerPrimaryAngle, tags.primary_deg, "primary_deg", kMostPrimary,
             offsets(DCM_PositionerPrimaryAngleIncrement, "primary_increment_deg", tags.primary_increment_deg), run,
             &DicomFrame::primary_deg);
  read_angle(file, DCM_PositionerSecondaryAngle, tags.secondary_deg, "secondary_deg", kMostSecondary,
             offsets(DCM_PositionerSecondaryAngleIncrement, "secondary_increment_deg", tags.secondary_increment_deg),
             run, &DicomFrame::secondary_deg);
  run.table_mm = tags.table_mm.value_or(Vec3d{});
  run.mirror_columns = tags.mirror_columns.value_or(false);
  run.mirror_rows = tags.mirror_rows.value_or(false);
  run.table_tags = tags.table_mm ? std::vector<double>{} : table_of_ge(file);
  warn_of_the_rest(file, run);
}

}  // namespace dsasrgs
