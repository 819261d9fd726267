// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the public writers of volumes and of projections share.

#include <filesystem>
#include <optional>
#include <string>

#include "dsasrgs/image.hpp"
#include "dsasrgs/volume_files.hpp"

namespace dsasrgs {

/// write_nifti, with all that VolumeTimes says.
void write_nifti_volume(const std::filesystem::path&, const Volume&, const VolumeTimes&);

/// write_metaimage of numbers that are `content`, such as "attenuation in 1/mm"; without times where they are of no
/// moment.
void write_metaimage_of(const std::filesystem::path&, const Volume&, const std::string& content,
                        const std::optional<VolumeTimes>&);

}  // namespace dsasrgs
