// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a step's numbers cease to be finite.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "elementwise/elementwise.hpp"

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

/// What computes the first of those in which a bit of `found` (find_non_finite) says that a number is not finite, in
/// the words of Reconstructor::stage_seconds. None: the sum of the loss itself.
inline const char* first_non_finite_stage(std::uint32_t found) {
  if (found == 0) return "image loss";
  const auto first = static_cast<Watched>(std::countr_zero(found));
  if (first == Watched::density) return "field forward";
  if (first <= Watched::amplitude) return "project forward";
  if (first == Watched::rendered) return "rasterize forward";
  if (first == Watched::grad_rendered) return "image loss";
  if (first <= Watched::grad_amplitude) return "rasterize backward";
  if (first <= Watched::grad_density) return "project backward";
  return "field backward";
}

}  // namespace dsasrgs
