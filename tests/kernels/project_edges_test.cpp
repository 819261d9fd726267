// SPDX-License-Identifier: Apache-2.0
// The projection at its edges: Gaussians without pixels, thread counts, refusals, and parity with CUDA.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "dsasrgs/error.hpp"
#include "project/project.hpp"
#include "support/bad_bounds.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/oblique_view.hpp"
#include "support/projected_cloud.hpp"

namespace dsasrgs::test {

TEST_CASE("project: Gaussians at and behind the source get no pixels, finite outputs and no gradient", "[project]") {
  Context ctx = make_context();
  const Pose pose = oblique_pose(true);
  Vec3d n = normalized(cross(pose.detector_u, pose.detector_v));
  if (dot(n, pose.detector_center_mm - pose.source_mm) < 0) n = -n;
  TestCloud cloud = random_cloud(5, {0.1f, 1.0f}, 0, 2);
  cloud.place(0, pose.source_mm);
  cloud.place(1, pose.source_mm + n * 1e-6);
  cloud.place(2, pose.source_mm - n * 100.0);
  cloud.place(3, pose.source_mm + pose.detector_v * 50.0 - n);
  const ProjectedCloud p(ctx, cloud, pose, kDetector, false);
  const auto box = p.box.to_host(ctx);
  const auto amplitude = p.amplitude.to_host(ctx);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(amplitude[i] == 0);
    CHECK(box[i].empty());
  }
  CHECK(amplitude[4] > 0);
  CHECK_FALSE(box[4].empty());
  for (const auto& values : {p.mean_px.to_host(ctx), p.conic.to_host(ctx)})
    for (const float v : values) CHECK(std::isfinite(v));

  const CloudOnDevice device(ctx, cloud);
  CloudGradient g(ctx, 5, 1.0f);
  const auto ones = Buffer<float>::from_host(ctx, std::vector<float>(15, 1.0f));
  project_backward(ctx, {device.view(cloud.bounds), device.density, pose, kDetector, false},
                   {ones.view().subview(0, 10), ones.view(), ones.view().subview(0, 5)}, GradientMode::overwrite,
                   g.view());
  const auto position = g.position.to_host(ctx), rotation = g.rotation.to_host(ctx), density = g.density.to_host(ctx);
  for (std::size_t i = 0; i < 12; ++i) CHECK(position[i] == 0);
  for (std::size_t i = 0; i < 16; ++i) CHECK(rotation[i] == 0);
  for (std::size_t i = 0; i < 4; ++i) CHECK(density[i] == 0);
  CHECK(density[4] > 0);
}

TEST_CASE("project: a Gaussian beside the image has an empty box, one across its edge a clipped one", "[project]") {
  Context ctx = make_context();
  const Pose pose = carm_pose({}, 0);
  TestCloud cloud = random_cloud(4, {1.0f, 3.0f}, 0, 4);
  for (std::size_t i = 0; i < 12; ++i) cloud.raw_scale[i] = 0;  // 2 mm
  const auto isocentre_plane = [&](double x, double y) {        // the point that projects to pixel (x, y)
    const Vec3d d = detector_point(pose, kDetector, {x, y});
    return pose.source_mm + (d - pose.source_mm) * (750.0 / 1200.0);
  };
  cloud.place(0, isocentre_plane(-60, 80));
  cloud.place(1, isocentre_plane(100, 400));
  cloud.place(2, isocentre_plane(1, 80));
  cloud.place(3, isocentre_plane(199, 159));
  const auto box = ProjectedCloud(ctx, cloud, pose, kDetector, false).box.to_host(ctx);
  CHECK(box[0].empty());
  CHECK(box[1].empty());
  CHECK((box[2].x_begin == 0 && box[2].x_end > 10 && box[2].x_end < 20 && !box[2].empty()));
  CHECK((box[3].x_end == 200 && box[3].y_end == 160 && !box[3].empty()));
}

TEST_CASE("project: the same bits on 1 and 2 threads; no Gaussians are fine", "[project]") {
  Context one = make_context(1), two = make_context(2);
  const TestCloud cloud = random_cloud(5003, {0.05f, 4.0f}, 70, 5);
  const ProjectedCloud a(one, cloud, oblique_pose(false), kDetector, true),
      b(two, cloud, oblique_pose(false), kDetector, true);
  CHECK(a.mean_px.to_host(one) == b.mean_px.to_host(two));
  CHECK(a.conic.to_host(one) == b.conic.to_host(two));
  CHECK(a.amplitude.to_host(one) == b.amplitude.to_host(two));

  const ProjectInput none{{{}, {}, {}, {0.1f, 1.0f}}, {}, oblique_pose(false), kDetector, false};
  CHECK_NOTHROW(project_forward(one, none, {}));
  CHECK_NOTHROW(project_backward(one, none, {}, GradientMode::overwrite, {}));
}

TEST_CASE("project: wrong sizes, detectors, bounds and poses are refused", "[project]") {
  Context ctx = make_context();
  TestCloud cloud = random_cloud(2, {0.1f, 1.0f}, 10, 1);
  const CloudOnDevice device(ctx, cloud);
  ProjectedCloud out(ctx, cloud, oblique_pose(false), kDetector, false);
  const ProjectInput good{device.view(cloud.bounds), device.density, oblique_pose(false), kDetector, false};
  const auto refused = [&](auto&& change) {
    ProjectInput in = good;
    change(in);
    CHECK_THROWS_AS(project_forward(ctx, in, out.output()), InvalidArgument);
    CloudGradient g(ctx, 2, 0.0f);
    CHECK_THROWS_AS(
        project_backward(ctx, in, {out.mean_px, out.conic, out.amplitude}, GradientMode::overwrite, g.view()),
        InvalidArgument);
  };
  CHECK_NOTHROW(project_forward(ctx, good, out.output()));
  refused([](ProjectInput& in) { in.density = in.density.subview(0, 1); });
  refused([](ProjectInput& in) { in.gaussians.position_mm = in.gaussians.position_mm.subview(0, 5); });
  refused([](ProjectInput& in) { in.gaussians.raw_scale = in.gaussians.raw_scale.subview(0, 5); });
  refused([](ProjectInput& in) { in.gaussians.rotation = in.gaussians.rotation.subview(0, 7); });
  for (const ScaleBounds bounds : kBadBounds) refused([&](ProjectInput& in) { in.gaussians.bounds = bounds; });
  refused([](ProjectInput& in) { in.detector.width_px = 0; });
  refused([](ProjectInput& in) { in.detector.height_px = -3; });
  refused([](ProjectInput& in) { in.detector.pitch_u_mm = 0; });
  refused([](ProjectInput& in) { in.detector.pitch_v_mm = NAN; });
  refused([](ProjectInput& in) { in.pose.detector_v = in.pose.detector_u; });
  refused([](ProjectInput& in) { in.pose.source_mm = in.pose.detector_center_mm; });
  refused([](ProjectInput& in) { in.pose.source_mm = in.pose.detector_center_mm + in.pose.detector_u; });
  refused([](ProjectInput& in) { in.pose.source_mm.x = NAN; });
  ProjectOutput short_output = out.output();
  short_output.box = short_output.box.subview(0, 1);
  CHECK_THROWS_AS(project_forward(ctx, good, short_output), InvalidArgument);
}

TEST_CASE("project: CUDA agrees with the CPU", "[project][parity]") {
  Context cpu = Context::cpu(1), ctx = make_context();
  for (const std::size_t n : {0, 1, 1027})
    for (const bool footprint : {false, true}) {
      TestCloud cloud = random_cloud(n, {0.3f, 4.0f}, 70, 5);
      const Pose pose = oblique_pose(true);
      if (n > 1) cloud.place(1, pose.source_mm);
      const ProjectedCloud a(cpu, cloud, pose, kDetector, footprint), b(ctx, cloud, pose, kDetector, footprint);
      // Both round; the conic and the gradients through it lose as many digits as Σ₂ is long and thin.
      CHECK(relative_l2(b.mean_px.to_host(ctx), a.mean_px.to_host(cpu)) < 1e-6);
      CHECK(relative_l2(b.conic.to_host(ctx), a.conic.to_host(cpu)) < 2e-6);
      CHECK(relative_l2(b.amplitude.to_host(ctx), a.amplitude.to_host(cpu)) < 1e-6);
      const auto box_a = a.box.to_host(cpu), box_b = b.box.to_host(ctx);
      std::size_t different = 0;
      int largest = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const PixelBox p = box_a[i], q = box_b[i];
        const int worst_edge = std::max({std::abs(p.x_begin - q.x_begin), std::abs(p.x_end - q.x_end),
                                         std::abs(p.y_begin - q.y_begin), std::abs(p.y_end - q.y_end)});
        largest = std::max(largest, worst_edge);
        different += worst_edge != 0;
      }
      CHECK(largest <= 1);
      CHECK(different <= n / 200);  // an edge within rounding of a pixel's centre

      const auto up = random_values(6 * n, -1.0f, 1.0f, 33);
      const auto backward = [&](Context& c) {
        const CloudOnDevice device(c, cloud);
        const auto upstream = Buffer<float>::from_host(c, up);
        const auto u = upstream.view();
        CloudGradient g(c, n, 0.5f);
        project_backward(c, {device.view(cloud.bounds), device.density, pose, kDetector, footprint},
                         {u.subview(0, 2 * n), u.subview(2 * n, 3 * n), u.subview(5 * n, n)}, GradientMode::overwrite,
                         g.view());
        return std::vector<std::vector<float>>{g.position.to_host(c), g.raw_scale.to_host(c), g.rotation.to_host(c),
                                               g.density.to_host(c)};
      };
      const auto g_a = backward(cpu), g_b = backward(ctx);
      CHECK(relative_l2(g_b[0], g_a[0]) < 1e-5);
      CHECK(relative_l2(g_b[1], g_a[1]) < 1e-5);
      CHECK(relative_l2(g_b[2], g_a[2]) < 1e-5);
      CHECK(relative_l2(g_b[3], g_a[3]) < 1e-6);
    }
}

}  // namespace dsasrgs::test
