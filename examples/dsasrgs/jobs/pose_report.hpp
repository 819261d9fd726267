// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model's pose corrections as metrics.json, `inspect` and `reconstruct` show them.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dsasrgs/model.hpp"

namespace dsasrgs::program {

/// What all views share in mm and degrees, and how far corrections move the image, in pixels; per view, too.
nlohmann::ordered_json pose_correction_as_json(const Model&);
/// The same in a line, without the views.
std::string pose_correction_summary(const Model&);

}  // namespace dsasrgs::program
