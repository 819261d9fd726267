// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Which files this library wrote.

#include <filesystem>

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Whether a file for other programs says that this library wrote it: volumes (NIfTI, NRRD, MetaImage, DICOM), surfaces
/// (STL, PLY, OBJ), Gaussians, RTK's geometry and pictures (PNG). What another program has written anew since says so
/// no longer, where that program leaves its own name. Throws IoError when the system refuses.
bool is_written_here(const std::filesystem::path&);

}  // namespace dsasrgs
