// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Files. Everything is written to a temporary file in the same folder, flushed to disk and renamed, so a file is there
/// whole or not at all; folders are not made. Errors: IoError when the system refuses, BadInput (file, field, expected,
/// found) when the content is not what docs/data-format.md asks for, OutOfMemory when it does not fit. HDF5 files
/// are read in this process or, safely, in a child (file_reading.hpp), and may be from several threads: calls of the
/// HDF5 library are made one at a time. An application that calls HDF5 itself must not do so meanwhile unless its HDF5
/// was built thread-safe.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/image.hpp"

namespace DSASRGS_API dsasrgs {

/// What one of our HDF5 files is: its root attribute `format`, such as "dsasrgs.acquisition" or "dsasrgs.model".
/// Throws IoError, or BadInput when the file is not HDF5 or has no such attribute.
std::string read_format(const std::filesystem::path&);

/// Reads an acquisition file (HDF5, `dsasrgs.acquisition` version 1). Intensities are turned into line integrals
/// ln(mask − dark) − ln(fill − dark) (an intensity not above the dark field is BadInput naming view and pixel, except
/// where /valid excludes the pixel, which becomes 0, as do saturated ones, which `valid` then excludes); C-arm angles
/// into poses. The result is validated.
Acquisition read_acquisition(const std::filesystem::path&);

/// What an acquisition file keeps beside its projections and read_acquisition leaves alone; empty: nothing.
struct BesideProjections {
  std::vector<float> uncertainty;    ///< /uncertainty [V,H,W], their standard deviations
  std::vector<float> residue;        ///< /residue [V,H,W], what align_masks took away from them
  std::vector<double> mask_motions;  ///< /mask_motions [V,4], the numbers of MaskMotion of each view
};

/// Writes an acquisition file with free geometry; with `raw`, /projections holds its fill intensities beside
/// /mask_projections, else line integrals. Throws BadInput where Acquisition::validate does, InvalidArgument for `raw`
/// of the wrong size or with intensities that are not positive, and for what is kept beside it where that has the wrong
/// size or numbers that are not finite, or negative as standard deviations. The file is laid out in memory before it is
/// written.
void write_acquisition(const std::filesystem::path&, const Acquisition&, const RawIntensity* raw = nullptr,
                       const BesideProjections& = {});

/// Voxels of a side that NIfTI-1 can name.
inline constexpr int kMostNiftiSide = 32767;
/// Writes NIfTI-1 (.nii, or .nii.gz compressed), float32, mm and s, sform and qform code 1. World axes are taken for a
/// patient's: +x left, +y posterior, +z head (LPS), which NIfTI, whose x and y point the other way (RAS), is told by
/// its affine. Voxels stay in their order. `frame_spacing_s` is the time between frames, `first_time_s` that of the
/// first (toffset). Throws InvalidArgument for sizes that disagree or exceed kMostNiftiSide, spacings not positive,
/// times not finite, and voxels not finite.
void write_nifti(const std::filesystem::path&, const Volume&, double frame_spacing_s = 1, double first_time_s = 0);
/// Reads a NIfTI-1 or NIfTI-2 file (.nii, .nii.gz; either byte order) of scalar float32, float64 or integer voxels of
/// up to 64 bits in any orientation (sform, else qform, else voxel sizes); slope and intercept are applied, other units
/// of length become mm, RAS becomes LPS. Axes that lie along the world's are exchanged and turned round as needed;
/// other volumes are resampled (as_axis_aligned). Throws BadInput for anything else, and for voxels that are not
/// finite.
Volume read_nifti(const std::filesystem::path&);

/// World position of a voxel's centre: matrix · (i, j, k) + offset, in mm, +x left, +y posterior, +z head (LPS).
struct VoxelAffine {
  double matrix[3][3] = {};
  double offset[3] = {};
};
/// A volume as its file has it.
struct StoredVolume {
  int size[3] = {};  ///< voxels along i, j, k
  int frames = 1;
  VoxelAffine affine;
  double frame_spacing_s = 1, first_time_s = 0;
  std::vector<float> values;  ///< [frames,k,j,i]
};
/// Reads a NIfTI file as read_nifti does, but leaves the voxels in the order in which they are stored, as files need
/// whose affine is none (stacks of projections). Throws BadInput as read_nifti, but for no affine.
StoredVolume read_nifti_as_stored(const std::filesystem::path&);
/// The volume on a grid along the world's axes. Where each voxel axis lies along a world axis to 1e-4, voxels only
/// change places. Else they are interpolated trilinearly on the grid that holds the volume's box, whose spacing along a
/// world axis is that of the voxel axes weighted by their squared direction cosines; outside of the box values are the
/// volume's smallest. Throws BadInput, with `name` as the file, for axes that are not finite, have no length, lie in
/// a plane or at less than 45° to each other, and where the grid would need more than 64 voxels for each stored one.
Volume as_axis_aligned(StoredVolume, std::string_view name);

/// Reads a headerless volume of uint8 voxels [z,y,x] (.raw, or .raw.gz compressed) onto `grid`. The number of bytes
/// must be exactly the number of voxels, else BadInput.
Volume read_raw_volume(const std::filesystem::path&, const VolumeGrid& grid);

/// Grey value window of a PNG: `low` is shown black and `high` white, or the other way round when low > high.
struct GreyWindow {
  float low = 0, high = 1;
};
/// Writes an 8-bit greyscale PNG of an image [H,W]; values beyond the window are clamped. Throws InvalidArgument for
/// sizes that disagree, more than 2^28 pixels, NaN, or a window whose ends are equal or not finite.
void write_png(const std::filesystem::path&, const Image&, GreyWindow);
void write_png(const std::filesystem::path&, std::span<const float> image, int width_px, int height_px, GreyWindow);

/// Reads a PNG of 8 or 16 bits: grey values 0…255 or 0…65535, as they are. Colour is taken where its channels are
/// equal. Throws BadInput for real colour, transparency, other depths, more than 2^28 pixels and damage.
Image read_png(const std::filesystem::path&);

/// For programs that parse TOML of their own beside that of a configuration, before toml++ 3.3 sees it: throws
/// BadInput, with `source` as the file and the line as the field, for what overflows a parser's stack (keys of more
/// than 32 dotted names, more than 32 arrays and inline tables within each other) and for what that parser has
/// undefined behaviour on: a table's header without a name, } where an array's value should be, quotes within a value,
/// characters beyond ASCII outside of strings and comments, or first on a line that a backslash joins to the one before
/// it.
void require_parsable_toml(std::string_view text, std::string_view source);

/// Writes text whole (JSON, CSV, TOML).
void write_text(const std::filesystem::path&, std::string_view text);

}  // namespace dsasrgs
