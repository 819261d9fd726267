// SPDX-License-Identifier: Apache-2.0
#pragma once
// What files that come with an output are called.

#include <filesystem>
#include <string>

namespace dsasrgs::program {

/// The name of a file beside `output`: volume.nii.gz and "_uncertainty" give volume_uncertainty.nii.gz.
std::string name_beside(const std::filesystem::path& output, const std::string& added);
/// Of standard deviations.
inline std::string uncertainty_name(const std::filesystem::path& output) { return name_beside(output, "_uncertainty"); }

}  // namespace dsasrgs::program
