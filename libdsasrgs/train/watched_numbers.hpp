// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a step's numbers cease to be finite.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "elementwise/elementwise.hpp"
#include "stages.hpp"

namespace dsasrgs {

/// Arrays of a step in the order in which they are computed. Those of the tables are left out for their size: what is
/// wrong there shows in the next step's density.
enum class Watched : std::size_t {
  density,
  mean_px,
  conic,
  amplitude,
  rendered,
  grad_rendered,
  grad_mean_px,
  grad_conic,
  grad_amplitude,
  grad_raw_scale,
  grad_rotation,
  grad_density,
  grad_position,  // the field adds to it
  grad_attenuation,
  grad_network
};

/// What computes the first of those in which a bit of `found` (find_non_finite) says that a number is not finite.
/// None: the sum of the loss itself.
inline const char* first_non_finite_stage(std::uint32_t found) {
  if (found == 0) return stage_name(Stage::image_loss);
  const auto first = static_cast<Watched>(std::countr_zero(found));
  if (first == Watched::density) return stage_name(Stage::field_forward);
  if (first <= Watched::amplitude) return stage_name(Stage::project_forward);
  if (first == Watched::rendered) return stage_name(Stage::rasterize_forward);
  if (first == Watched::grad_rendered) return stage_name(Stage::image_loss);
  if (first <= Watched::grad_amplitude) return stage_name(Stage::rasterize_backward);
  if (first <= Watched::grad_density) return stage_name(Stage::project_backward);
  return stage_name(Stage::field_backward);
}

}  // namespace dsasrgs
