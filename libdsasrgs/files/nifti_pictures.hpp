// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stacks of pictures in NIfTI files.

#include <filesystem>

#include "files/number_array.hpp"

namespace dsasrgs {

/// Reads a NIfTI file as the pictures [N,H,W] that SimpleITK and nibabel's arrays (transposed) show: voxels in the
/// order of the file, wherever the affine puts them (ITK's own mirrors x and y). Throws as read_nifti does, but for
/// affines.
NumberArray<float> read_nifti_pictures(const std::filesystem::path&);

}  // namespace dsasrgs
