// SPDX-License-Identifier: Apache-2.0
#include "place_variance.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <cstddef>

namespace dsasrgs {

namespace {

/// What a Gaussian's density, place and shape together are uncertain by, where its place is by `variances` along
/// perpendicular directions and its density by 1, in what they are where all are 1. How fast shape follows was chosen
/// (docs/results.md).
double all_modes(std::span<const double> variances) {
  constexpr double kShape = 0.75;
  double sum = 1, count = 1;
  for (std::size_t i = 0; i < variances.size(); ++i) {
    sum += variances[i];
    for (std::size_t j = i; j < variances.size(); ++j) sum += std::pow(variances[i] * variances[j], kShape);
    count += 1 + static_cast<double>(variances.size() - i);
  }
  return sum / count;
}

}  // namespace

PlaceVariance::PlaceVariance(std::span<const Vec3d> directions) {
  Eigen::Matrix3d moments = Eigen::Matrix3d::Zero();
  for (const Vec3d& d : directions) {
    const Eigen::Vector3d direction(d.x, d.y, d.z);
    moments += direction * direction.transpose();
  }
  moments /= static_cast<double>(directions.size());
  Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver;
  solver.computeDirect(moments);
  constexpr double kLeast = 0.05;  // as over an arc of 45°: what is uncertain in depth is no larger than vessels are
  const Eigen::Vector3d variance = (1 - solver.eigenvalues().array()).max(kLeast).inverse();
  const Eigen::Matrix3d matrix = solver.eigenvectors() * variance.asDiagonal() * solver.eigenvectors().transpose();
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) matrix_[i][j] = matrix(i, j);
  // Its square root: that much of what is uncertain in depth shows in voxels (chosen as well).
  in_space_ = std::sqrt(all_modes({variance.data(), 3}));
}

double PlaceVariance::ratio(Vec3d line_of_sight) const {
  const Vec3d r = normalized(line_of_sight);
  const Vec3d u = normalized(cross(std::abs(r.z) < 0.7 ? Vec3d{0, 0, 1} : Vec3d{1, 0, 0}, r)), v = cross(r, u);
  const auto product = [&](Vec3d p, Vec3d q) {
    const double x[3] = {p.x, p.y, p.z}, y[3] = {q.x, q.y, q.z};
    double sum = 0;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) sum += x[i] * matrix_[i][j] * y[j];
    return sum;
  };
  const double uu = product(u, u), uv = product(u, v), vv = product(v, v);
  const double middle = (uu + vv) / 2, half = std::hypot((uu - vv) / 2, uv);
  const double along[2] = {middle - half, middle + half};
  return all_modes(along);
}

}  // namespace dsasrgs
