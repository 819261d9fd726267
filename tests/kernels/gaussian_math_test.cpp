// SPDX-License-Identifier: Apache-2.0
#include "common/gaussian_math.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "oracle/ray_integral_oracle.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

TEST_CASE("gaussian_math: sigmoid and softplus have their known values, also far from zero", "[gaussian_math]") {
  CHECK(sigmoid(0.0) == 0.5);
  CHECK(sigmoid(1.0) == Approx(0.73105857863000488).epsilon(1e-14));
  CHECK(sigmoid(-800.0) == 0.0);
  CHECK(softplus(0.0) == Approx(0.69314718055994531).epsilon(1e-14));
  CHECK(softplus(-1.0) == Approx(0.31326168751822286).epsilon(1e-14));
  CHECK(softplus(1000.0) == 1000.0);
  CHECK(softplus(-50.0) == Approx(1.9287498479639178e-22).epsilon(1e-12));
  CHECK(softplus(100.0f) == 100.0f);
}

TEST_CASE("gaussian_math: bounded scale stays within its bounds and raw_scale_from inverts it", "[gaussian_math]") {
  const double low = 0.03, high = 3.0;
  const Vec3d s = bounded_scale(Vec3d{0.0, -900.0, 40.0}, low, high);
  CHECK(s.x == Approx((low + high) / 2).epsilon(1e-14));
  CHECK(s.y == low);
  CHECK(s.z == Approx(high).epsilon(1e-14));
  for (const double scale : {0.04, 0.1, 0.7, 2.9})
    CHECK(bounded_scale(Vec3d{raw_scale_from(scale, low, high), 0, 0}, low, high).x == Approx(scale).epsilon(1e-12));
  const double span = high - low;
  CHECK(bounded_scale(Vec3d{raw_scale_from(0.001, low, high), raw_scale_from(9.0, low, high), 0}, low, high).x ==
        Approx(low + 1e-3 * span).epsilon(1e-12));
  CHECK(bounded_scale(Vec3d{0, raw_scale_from(9.0, low, high), 0}, low, high).y ==
        Approx(high - 1e-3 * span).epsilon(1e-12));
}

TEST_CASE("gaussian_math: the VJP of the bounded scale equals central differences", "[gaussian_math]") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto raw = random_values<double>(3, -4, 4, seed), w = random_values<double>(3, -1, 1, 100 + seed);
    const auto f = [&](const std::vector<double>& x) {
      const Vec3d s = bounded_scale(Vec3d{x[0], x[1], x[2]}, 0.05, 4.0);
      return w[0] * s.x + w[1] * s.y + w[2] * s.z;
    };
    const Vec3d scale = bounded_scale(Vec3d{raw[0], raw[1], raw[2]}, 0.05, 4.0);
    const Vec3d g = bounded_scale_vjp(scale, 0.05, 4.0, Vec3d{w[0], w[1], w[2]});
    CHECK(relative_l2(std::vector<double>{g.x, g.y, g.z}, numeric_gradient(f, raw)) < 1e-8);
  }
}

TEST_CASE("gaussian_math: rotation matrix columns are the quaternion's rotated axes", "[gaussian_math]") {
  // A quarter turn about z takes x to y and y to −x.
  const double h = std::sqrt(0.5);
  const Mat3<double> quarter = rotation_matrix(Quat<double>{h, 0, 0, h});
  CHECK(quarter.r1.x == Approx(1));
  CHECK(quarter.r0.y == Approx(-1));
  CHECK(quarter.r2.z == Approx(1));
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto q = random_values<double>(4, -2, 2, seed);
    const Quat<double> quaternion{q[0], q[1], q[2], q[3]};
    const Mat3<double> columns = rotation_matrix(quaternion).transposed();
    const GaussianOracle oracle{{}, {1, 1, 1}, quaternion, 1};
    CHECK(length(columns.r0 - oracle.axis(0)) < 1e-13);
    CHECK(length(columns.r1 - oracle.axis(1)) < 1e-13);
    CHECK(length(columns.r2 - oracle.axis(2)) < 1e-13);
    CHECK(dot(cross(columns.r0, columns.r1), columns.r2) == Approx(1).epsilon(1e-13));
  }
}

TEST_CASE("gaussian_math: the VJP of the rotation matrix equals central differences", "[gaussian_math]") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto q = random_values<double>(4, -2, 2, seed), w = random_values<double>(9, -1, 1, 100 + seed);
    const Mat3<double> upstream{{w[0], w[1], w[2]}, {w[3], w[4], w[5]}, {w[6], w[7], w[8]}};
    const auto f = [&](const std::vector<double>& x) {
      const Mat3<double> r = rotation_matrix(Quat<double>{x[0], x[1], x[2], x[3]});
      return dot(r.r0, upstream.r0) + dot(r.r1, upstream.r1) + dot(r.r2, upstream.r2);
    };
    const Quat<double> g = rotation_matrix_vjp(Quat<double>{q[0], q[1], q[2], q[3]}, upstream);
    CHECK(relative_l2(std::vector<double>{g.w, g.x, g.y, g.z}, numeric_gradient(f, q)) < 1e-7);
    // The matrix does not depend on the quaternion's length.
    CHECK(std::abs(g.w * q[0] + g.x * q[1] + g.y * q[2] + g.z * q[3]) < 1e-12);
  }
}

}  // namespace dsasrgs::test
