// SPDX-License-Identifier: Apache-2.0
#include "project/project.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/projection_oracle.hpp"
#include "project/project_math.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/oblique_view.hpp"
#include "support/projected_cloud.hpp"
#include "support/projected_gaussian.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

namespace {

ProjectionConstants<double> oblique_constants(bool footprint, bool mirrored = false) {
  return projection_constants(oblique_pose(mirrored), kDetector, {0.05f, 4.0f}, footprint);
}

}  // namespace

TEST_CASE("project: mean, conic and amplitude equal the covariance form with a numeric Jacobian", "[project]") {
  for (const bool mirrored : {false, true}) {
    const Pose pose = oblique_pose(mirrored);
    const auto view = oblique_constants(false, mirrored);
    for (std::uint32_t seed = 0; seed < 30; ++seed) {
      const std::vector<double> x = random_parameters(seed);
      const Projection<double> p = project_parameters(view, x);
      const GaussianOracle k = oracle_of(view, x);
      const Vec2d mean = project_point(pose, kDetector, k.mean_mm);
      CHECK(p.mean_u == Approx(mean.x).epsilon(1e-12));
      CHECK(p.mean_v == Approx(mean.y).epsilon(1e-12));

      const Covariance2 c = covariance_oracle(pose, kDetector, k);
      const double det = c.xx * c.yy - c.xy * c.xy;
      const std::vector<double> conic{c.yy / det, -c.xy / det, c.xx / det};
      CHECK(relative_l2(std::vector<double>{p.conic_xx, p.conic_xy, p.conic_yy}, conic) < 1e-5);

      // η as R²-Gaussian writes it, sqrt(2π·det Σ̂/det Σ₂), and as the exact integral of the ray through the centre.
      const Vec3d r = normalized(k.mean_mm - pose.source_mm);
      const double ux = k.covariance(c.ju, r), vx = k.covariance(c.jv, r), rr = k.covariance(r, r);
      const double det3 = c.xx * (c.yy * rr - vx * vx) - c.xy * (c.xy * rr - vx * ux) + ux * (c.xy * vx - c.yy * ux);
      CHECK(p.amplitude == Approx(k.density_per_mm * std::sqrt(2 * std::numbers::pi * det3 / det)).epsilon(1e-5));
      CHECK(p.amplitude == Approx(k.ray_integral(pose.source_mm, k.mean_mm)).epsilon(1e-6));
    }
  }
}

TEST_CASE("project: its VJP equals central differences in double", "[project]") {
  for (const bool footprint : {false, true})
    for (std::uint32_t seed = 0; seed < 30; ++seed) {
      const auto view = oblique_constants(footprint, seed % 2 == 1);
      const std::vector<double> x = random_parameters(seed);
      const auto w = random_values<double>(6, -1, 1, 1000 + seed);
      const auto f = [&](const std::vector<double>& at) {
        const Projection<double> p = project_parameters(view, at);
        return w[0] * p.mean_u + w[1] * p.mean_v + w[2] * p.conic_xx + w[3] * p.conic_xy + w[4] * p.conic_yy +
               w[5] * p.amplitude;
      };
      // Each output on its own as well: the mean would hide a wrong amplitude.
      for (int only = -1; only < 6; ++only) {
        ProjectionUpstream<double> up{w[0], w[1], w[2], w[3], w[4], w[5]};
        const auto g_of = [&](const ProjectionUpstream<double>& u) {
          const auto g = project_gaussian_vjp(view, project_parameters(view, x), {x[6], x[7], x[8], x[9]}, u);
          return std::vector<double>{g.position.x,  g.position.y,  g.position.z, g.raw_scale.x,
                                     g.raw_scale.y, g.raw_scale.z, g.rotation.w, g.rotation.x,
                                     g.rotation.y,  g.rotation.z,  g.density};
        };
        if (only < 0) {
          CHECK(relative_l2(g_of(up), numeric_gradient(f, x)) < 1e-6);
          continue;
        }
        double one[6] = {0, 0, 0, 0, 0, 0};
        one[only] = 1;
        up = {one[0], one[1], one[2], one[3], one[4], one[5]};
        const auto f_one = [&](const std::vector<double>& at) {
          const Projection<double> p = project_parameters(view, at);
          const double values[6] = {p.mean_u, p.mean_v, p.conic_xx, p.conic_xy, p.conic_yy, p.amplitude};
          return values[only];
        };
        CHECK(relative_l2(g_of(up), numeric_gradient(f_one, x)) < 1e-6);
      }
    }
}

TEST_CASE("project: the operator agrees with its formulas in double", "[project]") {
  for (const bool footprint : {false, true}) {
    Context ctx = make_context();
    const std::size_t n = 2051;  // more than two blocks
    TestCloud cloud = random_cloud(n, {0.05f, 4.0f}, 70, 5);
    const ProjectedCloud p(ctx, cloud, oblique_pose(false), kDetector, footprint);
    const auto mean = p.mean_px.to_host(ctx), conic = p.conic.to_host(ctx), amplitude = p.amplitude.to_host(ctx);
    const auto box = p.box.to_host(ctx);
    const auto view = oblique_constants(footprint);
    double mean_error = 0, conic_error = 0, amplitude_error = 0;
    int wrong_boxes = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const Projection<double> q = project_parameters(view, cloud.parameters(i));
      mean_error = std::max({mean_error, std::abs(mean[2 * i] - q.mean_u), std::abs(mean[2 * i + 1] - q.mean_v)});
      // The error of an inverse grows with the matrix's condition number, at most (4/0.05)² here; measured per entry
      // against the largest one.
      const double largest = std::max(q.conic_xx, q.conic_yy);
      conic_error = std::max({conic_error, std::abs(conic[3 * i] - q.conic_xx) / largest,
                              std::abs(conic[3 * i + 1] - q.conic_xy) / largest,
                              std::abs(conic[3 * i + 2] - q.conic_yy) / largest});
      amplitude_error = std::max(amplitude_error, std::abs(amplitude[i] / q.amplitude - 1));
      const auto bound = [](double edge, double tolerance) { return std::ceil(edge - 0.5 + tolerance); };
      const double rx = 3.5 * std::sqrt(q.cov_xx), ry = 3.5 * std::sqrt(q.cov_yy);
      const auto edge_is = [&](int found, double edge, int size) {
        // ceil(edge − ½) for a begin, and for an end too: the first centre beyond.
        const auto low = std::clamp(bound(edge, -1e-3), 0.0, double(size)),
                   high = std::clamp(bound(edge, 1e-3), 0.0, double(size));
        return found == low || found == high;
      };
      const bool ok = edge_is(box[i].x_begin, q.mean_u - rx, kDetector.width_px) &&
                      edge_is(box[i].x_end, q.mean_u + rx, kDetector.width_px) &&
                      edge_is(box[i].y_begin, q.mean_v - ry, kDetector.height_px) &&
                      edge_is(box[i].y_end, q.mean_v + ry, kDetector.height_px);
      wrong_boxes += !ok;
    }
    CHECK(mean_error < 2e-4);
    CHECK(conic_error < 5e-4);
    CHECK(amplitude_error < 5e-6);
    CHECK(wrong_boxes == 0);
  }
}

TEST_CASE("project: parts that are not asked for are skipped, and change nothing in the others", "[project]") {
  Context ctx = make_context();
  TestCloud cloud = random_cloud(1031, {0.05f, 4.0f}, 70, 5);
  cloud.place(7, oblique_pose(false).source_mm);  // one that cannot be projected
  const ProjectedCloud all(ctx, cloud, oblique_pose(false), kDetector, true);
  const CloudOnDevice device(ctx, cloud);
  const auto project = [&](View<const float> density, const ProjectOutput& out) {
    project_forward(ctx, {device.view(cloud.bounds), density, oblique_pose(false), kDetector, true}, out);
  };
  const auto fields = [](const std::vector<PixelBox>& boxes) {
    std::vector<int> all_fields;
    for (const PixelBox& b : boxes) all_fields.insert(all_fields.end(), {b.x_begin, b.x_end, b.y_begin, b.y_end});
    return all_fields;
  };
  Buffer<float> mean(ctx, 2 * cloud.size()), conic(ctx, 3 * cloud.size()), amplitude(ctx, cloud.size());
  Buffer<PixelBox> box(ctx, cloud.size());
  project({}, {{}, {}, {}, box});  // no density is needed
  CHECK(fields(box.to_host(ctx)) == fields(all.box.to_host(ctx)));
  project({}, {mean, conic, {}, {}});
  CHECK(mean.to_host(ctx) == all.mean_px.to_host(ctx));
  CHECK(conic.to_host(ctx) == all.conic.to_host(ctx));
  project(device.density, {{}, {}, amplitude, {}});
  CHECK(amplitude.to_host(ctx) == all.amplitude.to_host(ctx));
  CHECK_THROWS_AS(project({}, {{}, {}, amplitude, {}}), InvalidArgument);
}

TEST_CASE("project: the operator's VJP agrees with its formulas in double", "[project]") {
  Context ctx = make_context();
  const std::size_t n = 1027;
  TestCloud cloud = random_cloud(n, {0.3f, 4.0f}, 70, 5);
  const auto up_mean = random_values(2 * n, -1.0f, 1.0f, 21), up_conic = random_values(3 * n, -1.0f, 1.0f, 22),
             up_amplitude = random_values(n, -1.0f, 1.0f, 23);
  const CloudOnDevice device(ctx, cloud);
  const ProjectInput in{device.view(cloud.bounds), device.density, oblique_pose(false), kDetector, true};
  CloudGradient g(ctx, n, 0.0f), added(ctx, n, 10.0f);
  const auto mean = Buffer<float>::from_host(ctx, up_mean), conic = Buffer<float>::from_host(ctx, up_conic),
             amplitude = Buffer<float>::from_host(ctx, up_amplitude);
  project_backward(ctx, in, {mean, conic, amplitude}, GradientMode::overwrite, g.view());
  project_backward(ctx, in, {mean, conic, amplitude}, GradientMode::accumulate, added.view());

  const auto view = projection_constants(in.pose, in.detector, cloud.bounds, true);
  std::vector<double> position, raw_scale, rotation, density;
  for (std::size_t i = 0; i < n; ++i) {
    const auto x = cloud.parameters(i);
    const auto e = project_gaussian_vjp<double>(view, project_parameters(view, x), {x[6], x[7], x[8], x[9]},
                                                {up_mean[2 * i], up_mean[2 * i + 1], up_conic[3 * i],
                                                 up_conic[3 * i + 1], up_conic[3 * i + 2], up_amplitude[i]});
    for (const double v : {e.position.x, e.position.y, e.position.z}) position.push_back(v);
    for (const double v : {e.raw_scale.x, e.raw_scale.y, e.raw_scale.z}) raw_scale.push_back(v);
    for (const double v : {e.rotation.w, e.rotation.x, e.rotation.y, e.rotation.z}) rotation.push_back(v);
    density.push_back(e.density);
  }
  CHECK(relative_l2(g.position.to_host(ctx), position) < 1e-5);
  CHECK(relative_l2(g.raw_scale.to_host(ctx), raw_scale) < 1e-4);
  CHECK(relative_l2(g.rotation.to_host(ctx), rotation) < 1e-4);
  CHECK(relative_l2(g.density.to_host(ctx), density) < 1e-5);

  const auto plus_ten = [](std::vector<float> v) {
    for (float& x : v) x += 10.0f;
    return v;
  };
  CHECK(added.position.to_host(ctx) == plus_ten(g.position.to_host(ctx)));
  CHECK(added.raw_scale.to_host(ctx) == plus_ten(g.raw_scale.to_host(ctx)));
  CHECK(added.rotation.to_host(ctx) == plus_ten(g.rotation.to_host(ctx)));
  CHECK(added.density.to_host(ctx) == plus_ten(g.density.to_host(ctx)));
}

TEST_CASE("project: detector offset and secondary angle move the mean as the geometry says", "[project]") {
  // A Gaussian at the isocentre falls on the central ray: W/2 − offset/pitch, whatever the angles.
  Context ctx = make_context();
  TestCloud cloud = random_cloud(1, {0.1f, 1.0f}, 0, 1);
  CArmView c_arm;
  c_arm.primary_rad = 1.1;
  c_arm.secondary_rad = 0.5;
  c_arm.offset_u_mm = 9;
  c_arm.offset_v_mm = -22;
  const ProjectedCloud p(ctx, cloud, carm_pose(c_arm, 0), kDetector, false);
  const auto mean = p.mean_px.to_host(ctx);
  CHECK(mean[0] == Approx(100 - 9 / 0.9).epsilon(1e-6));
  CHECK(mean[1] == Approx(80 + 22 / 1.1).epsilon(1e-6));
}

TEST_CASE("project: the pixel footprint widens by 1/12 px² and keeps the mass", "[project]") {
  Context ctx = make_context();
  const std::size_t n = 300;
  const TestCloud cloud = random_cloud(n, {0.01f, 2.0f}, 50, 9);
  const ProjectedCloud plain(ctx, cloud, oblique_pose(false), kDetector, false);
  const ProjectedCloud wide(ctx, cloud, oblique_pose(false), kDetector, true);
  CHECK(plain.mean_px.to_host(ctx) == wide.mean_px.to_host(ctx));
  const auto a = plain.amplitude.to_host(ctx), b = wide.amplitude.to_host(ctx);
  const auto k = plain.conic.to_host(ctx), l = wide.conic.to_host(ctx);
  for (std::size_t i = 0; i < n; ++i) {
    const auto det = [](const float* c) { return double(c[0]) * double(c[2]) - double(c[1]) * double(c[1]); };
    const double det_k = det(&k[3 * i]), det_l = det(&l[3 * i]);
    // Σ₂ of the widened Gaussian is that of the plain one plus 1/12 on the diagonal.
    const double widened_xx = double(l[3 * i + 2]) / det_l, plain_xx = double(k[3 * i + 2]) / det_k;
    CHECK(widened_xx == Approx(plain_xx + 1.0 / 12).epsilon(2e-3));
    // Mass = 2π·amplitude/sqrt(det conic).
    CHECK(double(b[i]) / std::sqrt(det_l) == Approx(double(a[i]) / std::sqrt(det_k)).epsilon(2e-3));
  }
}

}  // namespace dsasrgs::test
