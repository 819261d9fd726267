// SPDX-License-Identifier: Apache-2.0
#pragma once
// How well views from some directions determine where a Gaussian is, and so how wrong it looks from another: badly
// along their common line of sight (method.md section 8).

#include <span>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

class PlaceVariance {
 public:
  /// Of views along these unit vectors, one or more; all tell alike.
  explicit PlaceVariance(std::span<const Vec3d> directions);

  /// Variance of a render along `line_of_sight` (any length), in what it would be if place and shape were as well
  /// determined as they are across one view's own line of sight by that view.
  double ratio(Vec3d line_of_sight) const;
  /// Variance of a volume, in what it would be likewise.
  double ratio_in_space() const { return in_space_; }

 private:
  double matrix_[3][3];  // variance of the place, in what one view alone would leave across its line of sight
  double in_space_;
};

}  // namespace dsasrgs
