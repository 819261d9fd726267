// SPDX-License-Identifier: Apache-2.0
#pragma once
// TIFF pictures, through libtiff.

#include <filesystem>

#include "dsasrgs/image.hpp"

namespace dsasrgs {

/// Reads the first page of a TIFF file: one channel of 8 or 16 bits or float32, as it is. Throws BadInput for other
/// pixels, more than 2^28 of them, and damage; BackendUnavailable where the build has no libtiff.
Image read_tiff(const std::filesystem::path&);

}  // namespace dsasrgs
