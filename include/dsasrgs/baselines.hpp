// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// What a reconstruction has to beat: interpolated views, and filtered back-projection with its reprojections.

#include <span>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// Image [H,W] of a view interpolated linearly between the nearest training views before and after it (a training view
/// gives itself). Weights follow the angle between the source directions seen from the isocentre, or the time where the
/// source does not move; before the first training view, and after the last, the nearest one is repeated. Where only
/// one of the two has a valid pixel, that one is taken. Negative values are kept. Throws InvalidArgument when `view` is
/// not one of the acquisition's, without a split, where all are test views, and naming view and pixel where a valid
/// value is not finite.
std::vector<float> interpolate_views(const Acquisition&, int view);

/// Volume [z,y,x] in 1/mm from the LR projections of `views` by fdk_reconstruct, negative values clipped to 0. Pixels
/// that are not valid count as 0. Throws InvalidArgument when a view is not one of the acquisition's, naming view and
/// pixel where a valid value is not finite, or as fdk_reconstruct does.
std::vector<float> fdk_volume(Context&, const Acquisition&, const std::vector<int>& views, const VolumeGrid&);

/// Line integrals [V,H,W] of a volume in host memory, one image per pose, by raycast. Throws InvalidArgument as raycast
/// does, and naming the voxel that is not finite.
std::vector<float> reproject_volume(Context&, std::span<const float> volume, const VolumeGrid&,
                                    const std::vector<Pose>& poses, const Detector&);

}  // namespace dsasrgs
