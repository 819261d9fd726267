// SPDX-License-Identifier: Apache-2.0
// The projection's derivatives by the pose, in double: central differences, an oracle, adjointness, closed forms.
#include "project/project_pose_math.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "oracle/projection_oracle.hpp"
#include "support/gradient.hpp"
#include "support/oblique_view.hpp"
#include "support/pose_numbers.hpp"
#include "support/projected_gaussian.hpp"

namespace dsasrgs::test {

namespace {

constexpr ScaleBounds kBounds{0.05f, 4.0f};

std::vector<double> list(const PoseConstants<double>& c) {
  double s[kPoseSums];
  c.write(s);
  return {s, s + kPoseSums};
}
PoseConstants<double> constants_of(const std::vector<double>& x) {
  double s[kPoseSums];
  std::copy(x.begin(), x.end(), s);
  return PoseConstants<double>::from(s);
}
std::vector<double> list(const ProjectionConstants<double>& c) {
  return list(PoseConstants<double>{c.source_mm, c.normal, c.axis_u, c.axis_v, c.principal_u_px, c.principal_v_px});
}
ProjectionConstants<double> with(ProjectionConstants<double> view, const std::vector<double>& x) {
  const PoseConstants<double> c = constants_of(x);
  view.source_mm = c.source_mm;
  view.normal = c.normal;
  view.axis_u = c.axis_u;
  view.axis_v = c.axis_v;
  view.principal_u_px = c.principal_u_px;
  view.principal_v_px = c.principal_v_px;
  return view;
}

/// A view, a Gaussian, and what arrives for each of its outputs: for all, or for one alone, as the mean would hide a
/// wrong amplitude.
struct Problem {
  Pose pose;
  bool footprint;
  ProjectionConstants<double> view;
  std::vector<double> gaussian, up;

  PoseConstants<double> gradient() const {
    return project_gaussian_pose_vjp<double>(
        view, project_parameters(view, gaussian), {gaussian[0], gaussian[1], gaussian[2]},
        {gaussian[6], gaussian[7], gaussian[8], gaussian[9]}, {up[0], up[1], up[2], up[3], up[4], up[5]});
  }
  std::vector<double> tangent(const PoseConstants<double>& d) const {
    const ProjectionTangent<double> t = project_gaussian_pose_jvp<double>(view, project_parameters(view, gaussian),
                                                                          {gaussian[0], gaussian[1], gaussian[2]}, d);
    return {t.mean_u, t.mean_v, t.conic_xx, t.conic_xy, t.conic_yy, t.amplitude};
  }
};
template <class Body>
void for_problems(Body&& body) {
  for (const bool footprint : {false, true})
    for (std::uint32_t seed = 0; seed < 10; ++seed)
      for (int only = -1; only < 6; ++only) {
        const Pose pose = oblique_pose(seed % 2 == 1);
        Problem p{pose, footprint, projection_constants(pose, kDetector, kBounds, footprint), random_parameters(seed),
                  random_values<double>(6, -1, 1, 1000 + seed)};
        for (int i = 0; i < 6; ++i)
          if (only >= 0 && i != only) p.up[static_cast<std::size_t>(i)] = 0;
        body(p);
      }
}
std::vector<double> outputs(const ProjectionConstants<double>& view, const std::vector<double>& gaussian) {
  const Projection<double> p = project_parameters(view, gaussian);
  return {p.mean_u, p.mean_v, p.conic_xx, p.conic_xy, p.conic_yy, p.amplitude};
}
/// A random direction whose parts change the projection about as much.
PoseTangent random_direction(std::uint32_t seed) {
  auto d = random_values<double>(12, -1, 1, seed);
  for (std::size_t i = 6; i < 12; ++i) d[i] *= 1e-3;
  return pose_of<PoseTangent>(d);
}

}  // namespace

TEST_CASE("project: its VJP to the view's constants equals central differences in double", "[project][pose]") {
  for_problems([](const Problem& p) {
    const auto f = [&](const std::vector<double>& at) {
      return inner_product(p.up, outputs(with(p.view, at), p.gaussian));
    };
    const auto expected = numeric_gradient(f, list(p.view)), found = list(p.gradient());
    for (const std::size_t first : {0, 3, 6, 9}) {
      CAPTURE(first);
      // An axis that no output of this problem is made of has no derivative but for the differences' rounding.
      const auto a = three(found, first), b = three(expected, first);
      CHECK((relative_l2(a, b) < 1e-6 || max_difference(a, b) < 1e-11));
    }
    CHECK(found[12] == p.up[0]);
    CHECK(found[13] == p.up[1]);
  });
}

TEST_CASE("project: derivatives by the pose are those of projected points, numeric Jacobians and ray integrals",
          "[project][pose]") {
  for_problems([](const Problem& p) {
    const GaussianOracle k = oracle_of(p.view, p.gaussian);
    const auto f = [&](const std::vector<double>& at) {
      return inner_product(p.up, projection_oracle(pose_of<Pose>(at), kDetector, p.footprint, k));
    };
    const auto expected = numeric_gradient(f, pose_numbers(p.pose), 1e-4);
    const auto found = pose_numbers(projection_constants_vjp(p.pose, kDetector, p.gradient()));
    const double size = std::abs(f(pose_numbers(p.pose)));
    for (const std::size_t first : {0, 3, 6, 9}) {
      CAPTURE(first);
      const auto a = three(found, first), b = three(expected, first);
      CHECK((relative_l2(a, b) < 1e-5 || max_difference(a, b) < 1e-8 * size));
    }
  });
}

TEST_CASE("project: its JVP along a change of the pose equals central differences in double", "[project][pose]") {
  for_problems([](const Problem& p) {
    const PoseTangent d = random_direction(77);
    const auto x = pose_numbers(p.pose), dx = pose_numbers(d);
    const auto at = [&](double step) {
      auto moved = x;
      for (std::size_t i = 0; i < x.size(); ++i) moved[i] += step * dx[i];
      return outputs(projection_constants(pose_of<Pose>(moved), kDetector, kBounds, p.footprint), p.gaussian);
    };
    const auto above = at(1e-3), below = at(-1e-3), t = p.tangent(projection_constants_jvp(p.pose, kDetector, d));
    for (std::size_t i = 0; i < t.size(); ++i) CHECK(t[i] == Approx((above[i] - below[i]) / 2e-3).epsilon(1e-6));
  });
}

TEST_CASE("project: JVP and VJP by the pose are adjoint", "[project][pose]") {
  for_problems([](const Problem& p) {
    const PoseTangent d = random_direction(78);
    const PoseConstants<double> through = projection_constants_jvp(p.pose, kDetector, d);
    const PoseGradient g = projection_constants_vjp(p.pose, kDetector, p.gradient());
    const auto t = p.tangent(through);
    double scale = 0;
    for (std::size_t i = 0; i < t.size(); ++i) scale += std::abs(t[i] * p.up[i]);
    CHECK(std::abs(inner_product(t, p.up) - inner_product(list(through), list(p.gradient()))) < 1e-10 * scale);
    CHECK(std::abs(inner_product(t, p.up) - inner_product(pose_numbers(d), pose_numbers(g))) < 1e-10 * scale);
  });
}

TEST_CASE("project: what a move of the detector does to centres is arithmetic on paper", "[project][pose]") {
  for (const bool mirrored : {false, true}) {
    const Pose pose = oblique_pose(mirrored);
    Problem p{pose,
              false,
              projection_constants(pose, kDetector, kBounds, false),
              random_parameters(5),
              {0.7, -1.3, 0, 0, 0, 0}};
    const PoseGradient g = projection_constants_vjp(pose, kDetector, p.gradient());
    const Projection<double> q = project_parameters(p.view, p.gaussian);
    // Along û and v̂: the image moves the other way, by a pixel per pitch.
    CHECK(dot(g.detector_center_mm, pose.detector_u) == Approx(-0.7 / 0.9).epsilon(1e-12));
    CHECK(dot(g.detector_center_mm, pose.detector_v) == Approx(1.3 / 1.1).epsilon(1e-12));
    // Away from the source: the image grows from the foot of the perpendicular by one part in the distance.
    const DetectorFrame frame = detector_frame(pose);
    CHECK(dot(g.detector_center_mm, frame.normal) ==
          Approx((0.7 * q.slope_u - 1.3 * q.slope_v) / frame.distance_mm).epsilon(1e-12));
    // About its own centre in its plane by dφ: û changes by v̂ dφ, v̂ by −û dφ, and the image turns about its middle by
    // −dφ, in mm.
    const double x = (q.mean_u - kDetector.width_px / 2.0) * 0.9, y = (q.mean_v - kDetector.height_px / 2.0) * 1.1;
    CHECK(dot(g.detector_u, pose.detector_v) - dot(g.detector_v, pose.detector_u) ==
          Approx(0.7 * y / 0.9 + 1.3 * x / 1.1).epsilon(1e-10));
  }
}

}  // namespace dsasrgs::test
