// SPDX-License-Identifier: Apache-2.0
#pragma once
// Views of a run as a report shows them: measured, rendered and, where it is known, the finer truth.

#include <nlohmann/json.hpp>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/model.hpp"
#include "report/error_bars.hpp"
#include "report/page.hpp"

namespace dsasrgs::program {

/// How much of it.
struct ViewImageOptions {
  int longest_px = 0;  ///< of an image at the view's own time
  int grid_px = 0;     ///< of an image at another view's time
  bool quiet = false;
};

/// `images` of the views that no training saw, evenly spread, and the worst scored (-1: not known).
std::vector<int> shown_views(const Acquisition&, int images, int worst);

/// Adds the images to the page's arrays; returns what they are. `model` may be null: measurements only; so may the
/// error bars, which are of these views. Throws Interrupted; as Renderer does.
nlohmann::ordered_json add_view_images(Context&, const Acquisition&, const Model* model, const ErrorBars*,
                                       const std::vector<int>& views, const ViewImageOptions&, PageData&);

/// Angles of the C-arm's source about +z and out of the plane of rotation, degrees, and distances.
nlohmann::ordered_json pose_as_json(const Pose&);

}  // namespace dsasrgs::program
