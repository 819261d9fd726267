// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of a training step, in the order in which they are done.

#include <array>
#include <cstddef>

namespace dsasrgs {

enum class Stage : std::size_t {
  field_forward,
  project_forward,
  rasterize_forward,
  image_loss,
  total_variation,
  rasterize_backward,
  project_backward,
  field_backward,
  adam,
  density_control
};
inline constexpr std::size_t kNumStages = 10;

/// As Reconstructor::stage_seconds and error messages have them.
inline constexpr std::array<const char*, kNumStages> kStageNames{
    "field forward",      "project forward",  "rasterize forward", "image loss", "total variation",
    "rasterize backward", "project backward", "field backward",    "adam",       "density control"};
inline constexpr const char* stage_name(Stage stage) { return kStageNames[static_cast<std::size_t>(stage)]; }

}  // namespace dsasrgs
