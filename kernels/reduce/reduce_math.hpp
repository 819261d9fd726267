#pragma once
// One pixel, and the sum of two sets of pixels.

#include <cmath>

#include "dsasrgs/math.hpp"
#include "reduce/reduce.hpp"

namespace dsasrgs {

DSASRGS_HD inline void add_pixel(float rendered, float reference, ImageStatistics& s) {
  if (!std::isfinite(rendered) || !std::isfinite(reference)) {
    ++s.non_finite;
    return;
  }
  const float x = rendered > 0 ? rendered : 0.0f, y = reference > 0 ? reference : 0.0f;
  ++s.count;
  s.rendered_min = x < s.rendered_min ? x : s.rendered_min;
  s.rendered_max = x > s.rendered_max ? x : s.rendered_max;
  s.reference_min = y < s.reference_min ? y : s.reference_min;
  s.reference_max = y > s.reference_max ? y : s.reference_max;
  const double a = x, b = y, d = a - b;
  s.squared_error += d * d;
  s.rendered += a;
  s.reference += b;
  s.rendered_squared += a * a;
  s.reference_squared += b * b;
  s.product += a * b;
}

DSASRGS_HD inline void add_statistics(const ImageStatistics& other, ImageStatistics& s) {
  s.count += other.count;
  s.non_finite += other.non_finite;
  s.rendered_min = other.rendered_min < s.rendered_min ? other.rendered_min : s.rendered_min;
  s.rendered_max = other.rendered_max > s.rendered_max ? other.rendered_max : s.rendered_max;
  s.reference_min = other.reference_min < s.reference_min ? other.reference_min : s.reference_min;
  s.reference_max = other.reference_max > s.reference_max ? other.reference_max : s.reference_max;
  s.squared_error += other.squared_error;
  s.rendered += other.rendered;
  s.reference += other.reference;
  s.rendered_squared += other.rendered_squared;
  s.reference_squared += other.reference_squared;
  s.product += other.product;
}

}  // namespace dsasrgs
