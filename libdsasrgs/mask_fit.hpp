// SPDX-License-Identifier: Apache-2.0
#pragma once
// The motion of one view's mask that fits its image best.

#include <cstdint>
#include <span>

#include "dsasrgs/geometry.hpp"
#include "dsasrgs/mask_alignment.hpp"
#include "image_spline.hpp"

namespace dsasrgs {

/// Where in the mask (column, row) of an image [height,width] is; whole numbers at the centres of pixels, which are
/// `aspect` times as high as wide.
inline Vec2d moved(const MaskMotion& m, int width_px, int height_px, double aspect, Vec2d at) {
  const Vec2d centre{0.5 * (width_px - 1), 0.5 * (height_px - 1)};
  const double c = (1 + m.magnification) * std::cos(m.turn_rad), s = (1 + m.magnification) * std::sin(m.turn_rad);
  const double x = at.x - centre.x, y = (at.y - centre.y) * aspect;
  return {centre.x + m.shift_u_px + c * x - s * y, centre.y + m.shift_v_px + (s * x + c * y) / aspect};
}
inline Vec2d moved(const MaskMotion& m, const Detector& d, Vec2d at) {
  return moved(m, d.width_px, d.height_px, d.pitch_v_mm / d.pitch_u_mm, at);
}

/// Minimises Σ log(1 + (r/σ)²) over the motion and b, r = mask(moved pixel) + b − fill, over the valid pixels [H,W]
/// (empty: all), by damped Gauss-Newton steps on images that are averaged over 4, 2 and 1 pixels a side. `mask` and
/// `fill` are logarithms [H,W], the mask finite where it is not valid, too. Both lose what is slow first, their means
/// over 17 × 17 pixels or a sixteenth of the shorter side, twice: exposure, scatter and lungs would be followed by
/// turns and magnifications. Then, as such means do not turn with the mask, mask and fill less what is slow in their
/// difference, weighed as below, about the motion found. σ is the median of |r| about its median, at first where the
/// mask has structure, then of all pixels, so that those with vessels count little. Where the images determine a number
/// badly it stays near 0: a corner is taken to move by 4 pixels or so.
/// The first step begins at the whole shift of the coarsest image that is best, of those up to 1.5 · `largest_px`; a
/// motion that fits no better than none, or that moves no corner by a fiftieth of a pixel, is none.
MaskMotion fit_mask(std::span<const float> mask, std::span<const float> fill, std::span<const std::uint8_t> valid,
                    const Detector& detector, double largest_px);

}  // namespace dsasrgs
