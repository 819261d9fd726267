// SPDX-License-Identifier: Apache-2.0
#pragma once
// A box in space as the unit cube.

#include <cstddef>

#include "dsasrgs/geometry.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// A box as single-precision origin and reciprocal extent, indexed by coordinate; by default the unit cube itself.
struct UnitBox {
  float origin[3] = {0, 0, 0}, inverse_extent[3] = {1, 1, 1};
  UnitBox() = default;
  explicit UnitBox(const VolumeGrid& box) {
    const Vec3d o = box.origin_mm, e = box.extent_mm();
    const double from[3] = {o.x, o.y, o.z}, side[3] = {e.x, e.y, e.z};
    for (int d = 0; d < 3; ++d) {
      origin[d] = static_cast<float>(from[d]);
      inverse_extent[d] = static_cast<float>(1 / side[d]);
    }
  }
  bool operator==(const UnitBox&) const = default;
};
/// Coordinate d of a position, 0 to 1 inside the box.
DSASRGS_HD inline float to_unit(const UnitBox& box, std::size_t d, float position) {
  return (position - box.origin[d]) * box.inverse_extent[d];
}
DSASRGS_HD inline float to_unit_vjp(const UnitBox& box, std::size_t d, float grad_unit) {
  return grad_unit * box.inverse_extent[d];
}

}  // namespace dsasrgs
