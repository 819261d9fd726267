// SPDX-License-Identifier: Apache-2.0
#pragma once
// Headers of NIfTI-1 and NIfTI-2 files, in either byte order, and what they say.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dsasrgs/io.hpp"
#include "dsasrgs/volume_files.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

/// Types of voxels by the standard's numbers. Complex, colour and 128-bit voxels are none of ours.
enum class NiftiType : std::int32_t {
  uint8 = 2,
  int16 = 4,
  int32 = 8,
  float32 = 16,
  float64 = 64,
  int8 = 256,
  uint16 = 512,
  uint32 = 768,
  int64 = 1024,
  uint64 = 1280,
};

/// What one of the two headers says, checked: sizes of 1 to 2^31 − 1, a known type of voxels, voxels that begin within
/// the file, a finite slope.
struct NiftiHeader {
  bool swapped = false;  ///< voxels are stored in the other byte order than this machine's
  int size[3] = {};
  int frames = 1;
  NiftiType type = NiftiType::float32;
  std::size_t to_skip = 0;          ///< bytes between the header and the voxels
  double slope = 1, intercept = 0;  ///< value = slope · stored + intercept
  VoxelAffine affine;               ///< of the sform, else the qform, else the voxel sizes; LPS mm
  double frame_spacing_s = 1, first_time_s = 0;
};

/// Reads the header, and no more. Throws BadInput.
NiftiHeader read_nifti_header(ByteReader&);

/// Header and the four bytes that say "no extensions" of a NIfTI-1 file of float32 voxels. Sizes must fit 16 bits.
std::array<char, 352> nifti1_header(const VolumeGrid&, int frames, const VolumeTimes&);

}  // namespace dsasrgs
