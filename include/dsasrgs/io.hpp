#pragma once
/// @file
/// Files. Everything is written to a temporary file in the same folder, flushed to disk and renamed, so a file is there
/// whole or not at all; folders are not made. Errors: IoError when the system refuses, BadInput (file, field, expected,
/// found) when the content is not what docs/data-format.md asks for, OutOfMemory when it does not fit. HDF5 files
/// are read in this process or, safely, in a child (hdf5_reading.hpp), and may be from several threads: calls of the
/// HDF5 library are made one at a time. An application that calls HDF5 itself must not do so meanwhile unless its HDF5
/// was built thread-safe.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

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

/// Writes an acquisition file with free geometry; with `raw`, /projections holds its fill intensities beside
/// /mask_projections, else line integrals. Throws BadInput where Acquisition::validate does, InvalidArgument for `raw`
/// of the wrong size or with intensities that are not positive. The file is laid out in memory before it is written.
void write_acquisition(const std::filesystem::path&, const Acquisition&, const RawIntensity* raw = nullptr);

/// Voxels of a side that NIfTI-1 can name.
inline constexpr int kMostNiftiSide = 32767;
/// Writes NIfTI-1 (.nii, or .nii.gz compressed), float32, mm and s, sform and qform code 1. World axes are written as
/// they are: voxel (i,j,k) is at origin + (i + ½, j + ½, k + ½)·spacing. `frame_spacing_s` is the time between frames,
/// `first_time_s` that of the first (toffset). Throws InvalidArgument for sizes that disagree or exceed kMostNiftiSide,
/// spacings not positive, times not finite, and voxels not finite.
void write_nifti(const std::filesystem::path&, const Volume&, double frame_spacing_s = 1, double first_time_s = 0);
/// Reads a NIfTI-1 file (.nii, .nii.gz; little-endian) of scalar float32, float64 or integer voxels of up to 32 bits
/// with an axis-aligned positive affine (sform, else qform, else voxel sizes); slope and intercept are applied, other
/// units of length become mm. Throws BadInput for anything else, and for voxels that are not finite.
Volume read_nifti(const std::filesystem::path&);

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
