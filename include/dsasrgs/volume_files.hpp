// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Volumes for viewers and toolkits: NRRD (3D Slicer, teem), MetaImage (ITK, RTK, elastix), DICOM and, in io.hpp,
/// NIfTI. All hold float32 voxels, DICOM numbers of 16 bits with a slope, and say where they lie in mm along +x left,
/// +y posterior, +z head (LPS), each as its format does, so that a viewer shows them in one place, with surfaces
/// (surface.hpp) too. Files are there whole or not at all.

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
enum class VolumeFormat { nifti, nrrd, metaimage, dicom };
/// The names that volume_format() knows, for messages.
inline constexpr const char* kVolumeNames = ".nii, .nii.gz, .nrrd, .seq.nrrd, .mha or .dcm";
/// The format that a file's name asks for: `.nii` and `.nii.gz` NIfTI, `.nrrd` (`.seq.nrrd` too) NRRD, `.mha`
/// MetaImage, `.dcm` DICOM; others none.
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
/// Writes an Enhanced CT image (PS3.3 A.38), one DICOM file: a slice along z for each DICOM frame, all slices of one
/// time after the other's; orientation 1\0\0\0\1\0, the centre of a slice's first voxel as its position, the times [s]
/// as offsets from the volume's time 0. Values are 16-bit numbers, evenly spaced from the smallest to the largest, with
/// rescale slope and intercept and, in double precision, a Real World Value Mapping of the unit 1/mm: half a step
/// beside them, and slopes in 16 characters, is what they lose. It says of itself that it is derived and not for
/// diagnosis. No patient is known: name and number say so, and dates but that of the writing are empty. UIDs are random
/// (2.25). Errors as write_volume; sides and slices beyond DICOM's (65535, 2^31 - 1, 4 GiB of pixels) too.
void write_dicom(const std::filesystem::path&, const Volume&, VolumeTimes = {});

}  // namespace dsasrgs
