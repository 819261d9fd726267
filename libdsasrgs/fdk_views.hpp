// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether filtered back-projection can be made of views of an acquisition, said in the acquisition's own terms.

#include <span>
#include <string>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Throws BadInput that names the acquisition.
void require_fdk_views(const std::string& acquisition, std::span<const Pose>, const Detector&);

}  // namespace dsasrgs
