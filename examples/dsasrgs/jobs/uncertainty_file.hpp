// SPDX-License-Identifier: Apache-2.0
#pragma once
// What files of standard deviations are called.

#include <filesystem>
#include <string>

namespace dsasrgs::program {

/// The name of the file beside `output` that holds its uncertainty: volume.nii.gz → volume_uncertainty.nii.gz.
std::string uncertainty_name(const std::filesystem::path& output);

}  // namespace dsasrgs::program
