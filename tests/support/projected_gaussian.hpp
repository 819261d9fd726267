// SPDX-License-Identifier: Apache-2.0
#pragma once
// One Gaussian as the projection's formulas take it, in double: position, raw scale, quaternion and density.

#include <cstdint>
#include <vector>

#include "oracle/ray_integral_oracle.hpp"
#include "project/project_math.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

inline Projection<double> project_parameters(const ProjectionConstants<double>& view, const std::vector<double>& x) {
  return project_gaussian(view, {x[0], x[1], x[2]}, {x[3], x[4], x[5]}, {x[6], x[7], x[8], x[9]}, x[10]);
}

inline std::vector<double> random_parameters(std::uint32_t seed) {
  std::vector<double> x = random_values<double>(11, -1, 1, seed);
  for (int i = 0; i < 3; ++i) x[i] *= 70;
  for (int i = 3; i < 6; ++i) x[i] *= 3;
  x[10] = 0.03 + 0.02 * x[10];
  return x;
}

inline GaussianOracle oracle_of(const ProjectionConstants<double>& view, const std::vector<double>& x) {
  return {{x[0], x[1], x[2]},
          bounded_scale(Vec3d{x[3], x[4], x[5]}, view.min_mm, view.max_mm),
          {x[6], x[7], x[8], x[9]},
          x[10]};
}

}  // namespace dsasrgs::test
