// SPDX-License-Identifier: Apache-2.0
#pragma once
// A valid acquisition of a few pixels, to be written, read and spoilt.

#include <cstddef>
#include <string>

#include "dsasrgs/acquisition.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

/// 4 views of 3 × 5 pixels with everything optional present.
inline Acquisition small_acquisition() {
  Acquisition a;
  a.name = "small";
  a.detector = {5, 3, 0.7, 0.9};
  a.volume = {4, 3, 2, {1.5, 2, 2.5}, {-3, -3, -2.5}};
  a.poses = circular_poses({.num_views = 4,
                            .first_rad = 0.3,
                            .duration_s = 3,
                            .view = {.secondary_rad = 0.2, .offset_u_mm = 1.5, .offset_v_mm = -0.5}});
  a.projections = random_values<float>(4 * 15, -0.5f, 2, 1);
  a.valid.assign(15, 1);
  a.valid[7] = 0;
  a.train_views = {0, 2};
  a.test_views = {1, 3};
  a.reference_projections = ReferenceProjections{2, random_values<float>(4 * 60, 0, 2, 2)};
  a.reference_volume = ReferenceVolume{random_values<float>(24, 0, 0.05f, 3), 1.25};
  return a;
}

}  // namespace dsasrgs::test
