// SPDX-License-Identifier: Apache-2.0
#include "place_variance.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

namespace dsasrgs {

namespace {

/// What a Gaussian's density, place and shape together are uncertain by, where its place is by a and b along two
/// perpendicular directions of the image and its density by 1. How fast shape follows was chosen (docs/results.md).
double all_modes(double a, double b) {
  constexpr double kShape = 0.75;
  return 1 + a + b + std::pow(a * a, kShape) + std::pow(a * b, kShape) + std::pow(b * b, kShape);
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
  constexpr double kLeast = 1e-3;  // one line of sight tells nothing along it
  const Eigen::Vector3d variance = (1 - solver.eigenvalues().array()).max(kLeast).inverse();
  const Eigen::Matrix3d matrix = solver.eigenvectors() * variance.asDiagonal() * solver.eigenvectors().transpose();
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) matrix_[i][j] = matrix(i, j);
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
  return all_modes(middle - half, middle + half) / all_modes(1, 1);
}

}  // namespace dsasrgs
