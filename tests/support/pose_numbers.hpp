// SPDX-License-Identifier: Apache-2.0
#pragma once
// The twelve numbers of a pose that the projection reads, its gradients and tangents as lists: source, detector centre,
// u, v.

#include <vector>

#include "project/project.hpp"

namespace dsasrgs::test {

/// Of a Pose, a PoseGradient or a PoseTangent.
template <class P>
std::vector<double> pose_numbers(const P& p) {
  std::vector<double> x;
  for (const Vec3d& v : {p.source_mm, p.detector_center_mm, p.detector_u, p.detector_v}) {
    x.push_back(v.x);
    x.push_back(v.y);
    x.push_back(v.z);
  }
  return x;
}
template <class P>
P pose_of(const std::vector<double>& x) {
  P p;
  p.source_mm = {x[0], x[1], x[2]};
  p.detector_center_mm = {x[3], x[4], x[5]};
  p.detector_u = {x[6], x[7], x[8]};
  p.detector_v = {x[9], x[10], x[11]};
  return p;
}

/// Numbers `first` to first + 3: a vector of a pose has a unit of its own, so each is held against its own size.
inline std::vector<double> three(const std::vector<double>& x, std::size_t first) {
  return {x[first], x[first + 1], x[first + 2]};
}

}  // namespace dsasrgs::test
