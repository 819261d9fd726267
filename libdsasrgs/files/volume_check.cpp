// SPDX-License-Identifier: Apache-2.0
#include "files/volume_check.hpp"

#include <cmath>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

void check_volume(const char* function, const Volume& volume, const VolumeTimes& times, int most_side) {
  const auto refuse = [&](const std::string& what, const std::string& expected, const std::string& found) {
    throw InvalidArgument(std::string(function) + ": " + what + ": expected " + expected + ", found " + found);
  };
  const VolumeGrid& grid = volume.grid;
  for (const int n : {grid.size_x, grid.size_y, grid.size_z, volume.frames})
    if (n < 1 || n > most_side) refuse("volume", "sizes of 1 to " + std::to_string(most_side), std::to_string(n));
  const std::size_t in_frame = grid.num_voxels(), frames = static_cast<std::size_t>(volume.frames);
  if (volume.values.size() % frames != 0 || volume.values.size() / frames != in_frame)
    refuse("volume.values", plain_number(static_cast<double>(in_frame) * volume.frames) + " voxels",
           std::to_string(volume.values.size()));
  for (std::size_t i = 0; i < volume.values.size(); ++i)
    if (!std::isfinite(volume.values[i]))  // no reader of ours would take it
      refuse("volume.values[" + std::to_string(i) + "]", "a finite number", plain_number(volume.values[i]));
  const double spacing[3] = {grid.spacing_mm.x, grid.spacing_mm.y, grid.spacing_mm.z};
  const double origin[3] = {grid.origin_mm.x, grid.origin_mm.y, grid.origin_mm.z};
  for (int axis = 0; axis < 3; ++axis)
    if (!(spacing[axis] > 0) || !std::isfinite(spacing[axis]) || !std::isfinite(origin[axis]))
      refuse("grid", "positive spacing and a finite origin",
             plain_number(spacing[axis]) + " and " + plain_number(origin[axis]));
  if (!(times.frame_spacing_s > 0) || !std::isfinite(times.frame_spacing_s))
    refuse("frame_spacing_s", "a positive time", plain_number(times.frame_spacing_s));
  if (!std::isfinite(times.first_time_s)) refuse("first_time_s", "a finite time", plain_number(times.first_time_s));
  if (!times.mean_until_s) return;
  if (!(*times.mean_until_s >= times.first_time_s) || !std::isfinite(*times.mean_until_s))
    refuse("mean_until_s", "a finite time, first_time_s or later", plain_number(*times.mean_until_s));
  if (volume.frames > 1) refuse("mean_until_s", "one frame, which is the mean", std::to_string(volume.frames));
}

}  // namespace dsasrgs
