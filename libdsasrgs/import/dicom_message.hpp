// SPDX-License-Identifier: Apache-2.0
#pragma once
// DICOM runs, and what to read of a file, as messages between a process and its child (files/reading_messages.hpp).

#include <concepts>
#include <string>
#include <tuple>

#include "files/reading_messages.hpp"
#include "import/dicom_run.hpp"

namespace dsasrgs {

/// Every field of DicomTags.
inline constexpr auto kDicomTagFields = std::tuple{
    &DicomTags::sod_mm,        &DicomTags::sdd_mm,         &DicomTags::primary_deg,
    &DicomTags::secondary_deg, &DicomTags::start_s,        &DicomTags::primary_increment_deg,
    &DicomTags::sign,          &DicomTags::mask_frames,    &DicomTags::secondary_increment_deg,
    &DicomTags::log_scale,     &DicomTags::mask_shift_px,  &DicomTags::pixel_spacing_mm,
    &DicomTags::table_mm,      &DicomTags::isocenter_px,   &DicomTags::frame_time_ms,
    &DicomTags::mirror_rows,   &DicomTags::mirror_columns, &DicomTags::relationship,
    &DicomTags::saturation,
};

template <class Archive>
void fields(Archive& archive, DicomIntensity& intensity) {
  archive.choice(intensity, DicomIntensity::logarithmic);
}

template <class Archive>
void fields(Archive& archive, DicomTags& tags) {
  std::apply([&](auto... field) { archive(tags.*field...); }, kDicomTagFields);
}

/// What a child is to read of its file.
struct DicomQuestion {
  std::string name;  ///< the file's, for messages
  int bin = 1;
  DicomTags tags;
};

template <class Archive>
void fields(Archive& archive, DicomQuestion& q) {
  archive(q.name, q.bin, q.tags);
}

template <class Archive>
void fields(Archive& archive, DicomMask& mask) {
  archive.choice(mask.operation, DicomMask::Operation::reversed_difference);
  archive(mask.ranges, mask.mask_frames, mask.contrast_averaging, mask.offset, mask.shift_px, mask.id, mask.by_hand);
}

template <class Archive>
void fields(Archive& archive, DicomShutter& shutter) {
  archive(shutter.edges, shutter.circle, shutter.polygon);
}

template <class Archive>
void fields(Archive& archive, DicomFrame& f) {
  archive(f.sod_mm, f.sdd_mm, f.primary_deg, f.secondary_deg, f.isocenter_px, f.time_s, f.shutters, f.mask_shifts);
}

/// All but the name, the bin and the values: those come one frame after the other.
template <class Archive>
void fields(Archive& archive, DicomRun& run) {
  archive(run.rows, run.columns, run.pixel_spacing_mm, run.frames, run.start_s, run.instance, run.uid, run.masks,
          run.table_mm, run.mirror_columns, run.mirror_rows, run.table_tags, run.intensity, run.has_scale, run.valid,
          run.found, run.warnings);
}

}  // namespace dsasrgs
