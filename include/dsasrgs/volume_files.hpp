// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Volumes for viewers and toolkits: NRRD (3D Slicer, teem), MetaImage (ITK, RTK, elastix) and, in io.hpp, NIfTI. All
/// hold float32 voxels and say where they lie in mm along +x left, +y posterior, +z head (LPS), each as its format
/// does, so that a viewer shows them in one place, with surfaces (surface.hpp) too. Files are there whole or not at
/// all.

#include <filesystem>
#include <optional>

#include "dsasrgs/export.hpp"
#include "dsasrgs/image.hpp"

namespace DSASRGS_API dsasrgs {

/// When the frames of a volume are.
struct VolumeTimes {
  double frame_spacing_s = 1;  ///< from one to the next
  double first_time_s = 0;
  /// Where the one frame is no moment, but the mean from first_time_s to here.
  std::optional<double> mean_until_s = std::nullopt;
};

/// Files that hold a volume.
enum class VolumeFormat { nifti, nrrd, metaimage };
/// The names that volume_format() knows, for messages.
inline constexpr const char* kVolumeNames = ".nii, .nii.gz, .nrrd, .seq.nrrd or .mha";
/// The format that a file's name asks for: `.nii` and `.nii.gz` NIfTI, `.nrrd` (`.seq.nrrd` too) NRRD, `.mha`
/// MetaImage; others none.
std::optional<VolumeFormat> volume_format(const std::filesystem::path& name);

/// Writes a volume in the format of the file's name. A mean is said to be one: in NIfTI's `descrip`, whose `toffset` is
/// the beginning. Throws InvalidArgument for another name, for sizes that disagree
/// or, for NIfTI, exceed kMostNiftiSide, spacings not positive, times not finite, and voxels not finite; IoError.
void write_volume(const std::filesystem::path&, const Volume&, VolumeTimes = {});
/// Writes an NRRD file, raw. Several frames become the sequence that 3D Slicer shows under the name `.seq.nrrd`: the
/// frames are the fastest axis, of the kind `list`, their times [s] stand in `axis 0 index values`. One frame's time is
/// the key `time_s`, of a mean `mean_from_s` and `mean_until_s`. Errors as write_volume.
void write_nrrd(const std::filesystem::path&, const Volume&, VolumeTimes = {});
/// Writes a MetaImage file, header and voxels in one; several frames are a fourth axis, whose spacing and offset are
/// the times [s]. One frame's time is `AcquisitionTime_s`, of a mean `MeanFrom_s` and `MeanUntil_s`. Errors as
/// write_volume.
void write_metaimage(const std::filesystem::path&, const Volume&, VolumeTimes = {});

}  // namespace dsasrgs
