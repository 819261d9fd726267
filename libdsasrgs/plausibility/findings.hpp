// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the parts of implausibilities() pass on to each other.

#include <optional>
#include <string>
#include <vector>

#include "dsasrgs/plausibility.hpp"

namespace dsasrgs::plausible {

/// Levels of the valid pixels of all views.
struct ImageLevels {
  double background = 0;  ///< median
  double noise = 0;       ///< standard deviation about it, from the median deviation
  double low = 0, high = 0;
  double depth() const { return background - low; }
  double height() const { return high - background; }
};

/// "63 %", "0.02 %".
std::string percent(double share);
/// "view 3" or "5 views, the first of them view 3".
std::string views_text(int count, int first);

/// Adds what is implausible about the numbers in the images. Returns their levels where the vessels in them can be
/// told from the background, else nothing.
std::optional<ImageLevels> find_in_images(const Acquisition&, std::vector<Finding>&);
/// Adds what is implausible about lengths, detector and volume; false where that is so.
bool find_in_geometry(const Acquisition&, std::vector<Finding>&);
/// Adds contrast on rays that miss the volume.
void find_signal_outside(const Acquisition&, const ImageLevels&, std::vector<Finding>&);
/// Adds what is implausible about the directions of the views.
void find_in_poses(const Acquisition&, std::vector<Finding>&);

/// Source to detector, along the detector's normal.
double source_to_detector_mm(const Pose&);
/// Whether source and detector are in the same places.
bool same_pose(const Pose&, const Pose&);
double degrees(double rad);

}  // namespace dsasrgs::plausible
