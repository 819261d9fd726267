// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arrays of all projections, as TIGRE and ASTRA keep them.

#include <filesystem>
#include <vector>

#include "dsasrgs/acquisition.hpp"

namespace dsasrgs {

/// Reads a .npy of projections [N,H,W], or [H,N,W] as ASTRA has them, into an acquisition that has its poses already;
/// sets the detector's size. Throws BadInput where the views are not as many as the poses.
void read_projection_stack(const std::filesystem::path&, bool views_first, Acquisition&);

}  // namespace dsasrgs
