// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every writer of volumes asks of one.

#include "dsasrgs/image.hpp"
#include "dsasrgs/volume_files.hpp"

namespace dsasrgs {

/// Throws InvalidArgument naming `function` for sizes beyond 1 to most_side or that disagree with the number of voxels,
/// voxels that are not finite, spacings that are not positive, an origin and times that are not finite.
void check_volume(const char* function, const Volume&, const VolumeTimes&, int most_side);

}  // namespace dsasrgs
