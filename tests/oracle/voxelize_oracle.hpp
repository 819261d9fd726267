// SPDX-License-Identifier: Apache-2.0
#pragma once
// Brute-force voxeliser in double: every Gaussian against every voxel, Σ inverted as a matrix.

#include <Eigen/Dense>
#include <array>
#include <cmath>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs::test {

/// One Gaussian: position (0–2), raw scale (3–5), quaternion wxyz (6–9), density (10).
using OracleGaussian = std::array<double, 11>;

/// Squared Mahalanobis distance of every voxel centre, [z,y,x].
inline std::vector<double> oracle_distances(const OracleGaussian& k, double min_mm, double max_mm,
                                            const VolumeGrid& g) {
  Eigen::Vector3d s;
  for (int a = 0; a < 3; ++a) s[a] = min_mm + (max_mm - min_mm) / (1 + std::exp(-k[3 + a]));
  const Eigen::Matrix3d r = Eigen::Quaterniond(k[6], k[7], k[8], k[9]).normalized().toRotationMatrix();
  const Eigen::Matrix3d sigma = r * s.cwiseProduct(s).asDiagonal() * r.transpose();
  const Eigen::Matrix3d precision = sigma.inverse();
  std::vector<double> q;
  for (int z = 0; z < g.size_z; ++z)
    for (int y = 0; y < g.size_y; ++y)
      for (int x = 0; x < g.size_x; ++x) {
        const Eigen::Vector3d d(g.origin_mm.x + (x + 0.5) * g.spacing_mm.x - k[0],
                                g.origin_mm.y + (y + 0.5) * g.spacing_mm.y - k[1],
                                g.origin_mm.z + (z + 0.5) * g.spacing_mm.z - k[2]);
        q.push_back(d.dot(precision * d));
      }
  return q;
}

struct OracleVolume {
  std::vector<double> value;       ///< [z,y,x]
  std::vector<bool> near_the_cut;  ///< some Gaussian's cut runs through this voxel centre, to within `margin` of q
};
inline OracleVolume oracle_voxelize(const std::vector<OracleGaussian>& gaussians, double min_mm, double max_mm,
                                    const VolumeGrid& grid, double cutoff = 3.5, double margin = 1e-3) {
  OracleVolume out{std::vector<double>(grid.num_voxels()), std::vector<bool>(grid.num_voxels())};
  for (const OracleGaussian& k : gaussians) {
    const std::vector<double> q = oracle_distances(k, min_mm, max_mm, grid);
    for (std::size_t v = 0; v < q.size(); ++v) {
      if (q[v] <= cutoff * cutoff) out.value[v] += k[10] * std::exp(-0.5 * q[v]);
      if (std::abs(q[v] - cutoff * cutoff) < margin) out.near_the_cut[v] = true;
    }
  }
  return out;
}

}  // namespace dsasrgs::test
